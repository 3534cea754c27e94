//! The label values of the metrics: closed sets, each with the word that a query names.

use std::fmt::{self, Write as _};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

macro_rules! label_values {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($(#[$doc:meta])* $value:ident => $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name {
            $($(#[$doc])* $value,)+
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
                encoder.write_str(match self {
                    $(Self::$value => $word,)+
                })
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
