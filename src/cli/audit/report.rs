//! What an audit gives: the document of `-o json`, from which every other form is written. Fields keep their names and
//! meanings; others may be added.

use std::collections::BTreeMap;

use serde::Serialize;
use smol_str::SmolStr;

use super::drift::Drift;

/// An audit.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// Each namespace, by name.
    pub(super) namespaces: Vec<NamespaceReport>,
    /// The sums over all namespaces.
    pub(super) totals: Tally,
    /// What somebody has to look at.
    pub(super) findings: Vec<Finding>,
    /// Every image of every workload.
    pub(super) images: Vec<ImageReport>,
    /// What could not be looked at, for want of a right or an answer.
    pub(super) unchecked: Vec<Unchecked>,
}

/// One namespace.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct NamespaceReport {
    /// Its name.
    pub(super) name: SmolStr,
    /// `enforce` or `audit`; null where it is not opted in, or its labels could not be read.
    pub(super) mode: Option<&'static str>,
    /// The policy that its label names; null for the default one.
    pub(super) policy: Option<SmolStr>,
    /// Its numbers.
    #[serde(flatten)]
    pub(super) tally: Tally,
}

/// Numbers of a namespace, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Tally {
    /// Pods that run, or are about to.
    pub(super) pods: usize,
    /// Different images among them and, with `--workloads`, the templates. In the totals, an image of two namespaces
    /// counts twice.
    pub(super) images: usize,
    /// Findings of each kind; kinds without any are there, too.
    pub(super) findings: BTreeMap<FindingKind, usize>,
    /// Running images of which it cannot be told whether they are what their tag means now.
    pub(super) drift_unknown: usize,
    /// What enforcing would change, if all Pods were made anew now.
    pub(super) enforcing: Enforcing,
}

/// What enforcing would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Enforcing {
    /// Pods that would be changed in any way.
    pub(super) pods_changed: usize,
    /// Pods that would be refused.
    pub(super) pods_denied: usize,
    /// Containers and volumes whose image would get a digest.
    pub(super) slots_pinned: usize,
    /// Containers and volumes whose image would only be spelled otherwise.
    pub(super) slots_respelled: usize,
    /// Containers and volumes that would stay unpinned since their tag cannot be resolved.
    pub(super) slots_unpinned: usize,
    /// Pods that would get a pull secret.
    pub(super) pods_given_secrets: usize,
}

/// The kinds of finding, and their names in `--fail-on`, in `kind` and in SARIF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum FindingKind {
    /// An image runs by a tag that may move.
    Unpinned,
    /// What runs is not what its tag means now.
    Drifted,
    /// A registry does not tell what a reference means.
    Unresolved,
    /// A registry wants a credential and no pull secret matches, or a pull secret that a Pod names is none.
    MissingSecret,
    /// A pull secret that the kubelet cannot read; it breaks every pull of the Pods that name it.
    BrokenSecret,
    /// A pull secret whose credential has ended.
    ExpiredSecret,
    /// A pull secret that nobody uses, or that matches no image.
    UnusedSecret,
    /// An image with upper-case letters in its name, which the kubelet refuses or looks for elsewhere.
    UpperCase,
}

/// Something that somebody has to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    /// What it is about.
    pub(super) kind: FindingKind,
    /// Where.
    pub(super) namespace: SmolStr,
    /// Whose Pods: `Deployment/web`; absent for a pull secret that no Pod names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workload: Option<SmolStr>,
    /// The container, or `volumes/` and the volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) slot: Option<String>,
    /// The image as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<SmolStr>,
    /// The pull secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<SmolStr>,
    /// Why a reference has no meaning: `invalid`, `notFound`, `unauthorized`, `unavailable`, `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<&'static str>,
    /// What it is, and what to do.
    pub(super) message: String,
    /// How many Pods it concerns.
    pub(super) pods: usize,
    /// Whether it concerns a template, whose Pods may not be there.
    pub(super) template: bool,
    /// The name of one of those Pods, or of the template's object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) example: Option<SmolStr>,
}

/// One image of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageReport {
    /// Where.
    pub(super) namespace: SmolStr,
    /// Whose Pods.
    pub(super) workload: SmolStr,
    /// The container, or `volumes/` and the volume.
    pub(super) slot: String,
    /// The image as it is written.
    pub(super) image: SmolStr,
    /// How it stands.
    pub(super) state: State,
    /// How many Pods have it.
    pub(super) pods: usize,
    /// Whether a template has it.
    pub(super) template: bool,
    /// The digest that its tag means now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<SmolStr>,
    /// The digests that run, as the container runtime tells them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) running: Vec<SmolStr>,
    /// How what runs compares with that; absent where nothing runs, or there is no tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drift: Option<Drift>,
    /// The pull secret that the registry answered; absent where it answered nobody's question, or anybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<SmolStr>,
    /// Why it has no meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<&'static str>,
    /// What enforcing would write in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) becomes: Option<SmolStr>,
}

/// How an image stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum State {
    /// It has a digest.
    Pinned,
    /// Its tag may move.
    Unpinned,
    /// Its tag never moves: a git SHA, or declared so by the policy.
    Immutable,
    /// The policy, or the Pod itself, leaves it unpinned.
    Skipped,
    /// It is never pulled, and has only its tag.
    NeverPulled,
    /// It names no registry, and the policy does not take it for Docker Hub's.
    ShortName,
    /// It is no reference.
    Invalid,
}

/// What could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Unchecked {
    /// What was asked of the API server: `list`, `get`.
    pub(super) verb: &'static str,
    /// Of what: `secrets`, `deployments.apps`.
    pub(super) resource: &'static str,
    /// Where; null for the whole cluster.
    pub(super) namespace: Option<SmolStr>,
    /// Whether it is for want of that right.
    pub(super) forbidden: bool,
    /// What happened, and what to do.
    pub(super) message: String,
    /// The kinds of finding that may be there and were not looked for.
    pub(super) leaves_open: Vec<FindingKind>,
}

// === impl FindingKind ===

impl FindingKind {
    /// All of them.
    pub(super) const ALL: [Self; 8] = [
        Self::Unpinned,
        Self::Drifted,
        Self::Unresolved,
        Self::MissingSecret,
        Self::BrokenSecret,
        Self::ExpiredSecret,
        Self::UnusedSecret,
        Self::UpperCase,
    ];

    /// Those that are about pull secrets, or are found with their help.
    pub(super) const WITH_SECRETS: [Self; 6] = [
        Self::Drifted,
        Self::Unresolved,
        Self::MissingSecret,
        Self::BrokenSecret,
        Self::ExpiredSecret,
        Self::UnusedSecret,
    ];

    /// Its name everywhere.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unpinned => "unpinned",
            Self::Drifted => "drifted",
            Self::Unresolved => "unresolved",
            Self::MissingSecret => "missing-secret",
            Self::BrokenSecret => "broken-secret",
            Self::ExpiredSecret => "expired-secret",
            Self::UnusedSecret => "unused-secret",
            Self::UpperCase => "upper-case",
        }
    }

    /// What it means, in one sentence.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Unpinned => "An image runs by a tag that may move",
            Self::Drifted => "What runs is not what its tag means now",
            Self::Unresolved => "A registry does not tell what a reference means",
            Self::MissingSecret => "A pull secret is missing",
            Self::BrokenSecret => "The kubelet cannot read a pull secret",
            Self::ExpiredSecret => "The credential of a pull secret has ended",
            Self::UnusedSecret => "A pull secret is of no use",
            Self::UpperCase => "An image's name has upper-case letters",
        }
    }
}

// === impl Tally ===

impl Tally {
    /// No findings of any kind.
    pub(super) fn none() -> Self {
        Self {
            findings: FindingKind::ALL.into_iter().map(|kind| (kind, 0)).collect(),
            ..Self::default()
        }
    }

    /// The number of findings of a kind.
    pub(super) fn of(&self, kind: FindingKind) -> usize {
        self.findings.get(&kind).copied().unwrap_or_default()
    }

    /// Adds those of a namespace.
    pub(super) fn add(&mut self, other: &Self) {
        self.pods += other.pods;
        self.images += other.images;
        self.drift_unknown += other.drift_unknown;
        for (kind, number) in &other.findings {
            *self.findings.entry(*kind).or_default() += number;
        }
        self.enforcing.add(&other.enforcing);
    }
}

impl Enforcing {
    /// Adds another.
    pub(super) fn add(&mut self, other: &Self) {
        let Self {
            pods_changed,
            pods_denied,
            slots_pinned,
            slots_respelled,
            slots_unpinned,
            pods_given_secrets,
        } = other;
        self.pods_changed += pods_changed;
        self.pods_denied += pods_denied;
        self.slots_pinned += slots_pinned;
        self.slots_respelled += slots_respelled;
        self.slots_unpinned += slots_unpinned;
        self.pods_given_secrets += pods_given_secrets;
    }
}
