//! The label values of the metrics: closed sets, each with the word that a query names.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

/// A closed set of label values, numbered from 0.
pub(super) trait Closed: Copy + 'static {
    /// All of them; each stands at its number.
    const ALL: &'static [Self];

    /// The number of this one.
    fn number(self) -> usize;
}

macro_rules! label_values {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $value:ident => $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {
            $($(#[$doc])* $value,)+
        }

        impl $name {
            /// The word that a query names.
            #[must_use]
            $vis fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl Closed for $name {
            const ALL: &'static [Self] = &[$(Self::$value,)+];

            fn number(self) -> usize {
                self as usize
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
                encoder.write_str(self.as_str())
            }
        }
    };
}

label_values! {
    /// What became of a review.
    pub enum Answer {
        /// Allowed as it was.
        Allowed => "allowed",
        /// Allowed with a patch.
        Patched => "patched",
        /// Denied by the policy.
        Denied => "denied",
        /// No review that cotter could read.
        Rejected => "rejected",
        /// The handler panicked.
        Panicked => "panicked",
    }
}

label_values! {
    /// What became of one image slot; the causes are spelled as in `cotter.yaml`.
    pub enum SlotOutcome {
        /// A digest was written.
        Pinned => "pinned",
        /// A last known good digest was written.
        Stale => "stale",
        /// It was left: it has a digest, an immutable tag, or the policy skips it.
        Left => "left",
        /// Not pinned: the reference cannot be parsed.
        Invalid => "invalid",
        /// Not pinned: no such tag.
        NotFound => "notFound",
        /// Not pinned: other credentials wanted.
        Unauthorized => "unauthorized",
        /// Not pinned: the registry could not be asked.
        Unavailable => "unavailable",
        /// Not pinned: the guard or the configuration said no.
        Refused => "refused",
    }
}

label_values! {
    /// What a namespace chose.
    pub enum Mode {
        /// Pods are changed.
        Enforce => "enforce",
        /// Pods are only looked at.
        Audit => "audit",
    }
}

label_values! {
    /// What `enforce` makes of a Pod; in `audit`, what it would make of it.
    pub enum PodAnswer {
        /// It stays as it is.
        Allowed => "allowed",
        /// Images or pull secrets are changed.
        Patched => "patched",
        /// The policy denies it.
        Denied => "denied",
    }
}

label_values! {
    /// A cache of the registry client.
    pub enum Cache {
        /// Tag to digest.
        Digest => "digest",
        /// Bearer tokens.
        Token => "token",
        /// Digest to revision.
        Revision => "revision",
    }
}

label_values! {
    /// How a registry request ended.
    pub enum Ended {
        /// 2xx.
        Ok => "ok",
        /// 404.
        NotFound => "not_found",
        /// 401 or 403.
        Unauthorized => "unauthorized",
        /// 429.
        Limited => "limited",
        /// Any other status.
        Status => "status",
        /// No answer: refused, cut, timed out, not TLS.
        Unreachable => "unreachable",
        /// The address guard said no.
        Refused => "refused",
    }
}

label_values! {
    /// A watch of the cluster.
    pub enum Watch {
        /// Namespaces.
        Namespaces => "namespaces",
        /// Pull secrets.
        PullSecrets => "pull_secrets",
        /// Service accounts.
        ServiceAccounts => "service_accounts",
        /// The Secret that all replicas share.
        TrustSecret => "trust_secret",
        /// The webhook configuration that calls cotter.
        WebhookConfiguration => "webhook_configuration",
        /// Pinned Pods.
        Pods => "pods",
        /// What is recorded of revisions.
        RevisionPins => "revision_pins",
        /// `Registry` objects.
        Registries => "registries",
        /// The Secrets that mirrors are asked with.
        MirrorSecrets => "mirror_secrets",
        /// The `ConfigMap` with `cotter.yaml`.
        ConfigMap => "config_map",
    }
}

label_values! {
    /// Whether something was so.
    pub(super) enum Hit {
        /// It was.
        Yes => "yes",
        /// It was not.
        No => "no",
    }
}

impl From<bool> for Hit {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}
