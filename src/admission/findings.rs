//! What the people behind a controller should hear: it alone gets the warnings of its Pods, and reads none.

use std::fmt;

use smol_str::SmolStr;

/// The object that manages a Pod.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Its API group and version.
    pub api_version: SmolStr,
    /// Its kind.
    pub kind: SmolStr,
    /// Its name.
    pub name: SmolStr,
    /// Its uid.
    pub uid: SmolStr,
}

/// What is told; the first that holds of a Pod, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// `audit`: the policy would deny the Pod.
    WouldDeny,
    /// An image stays unpinned.
    Unpinned,
    /// A pull secret is missing, broken or not fit.
    PullSecret,
    /// `audit`: images or pull secrets would change.
    WouldChange,
}

/// What was found about one Pod of an owner. Never made of a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The namespace of both.
    pub namespace: SmolStr,
    /// Who manages the Pod.
    pub owner: Owner,
    /// What is told.
    pub reason: Reason,
    /// The Pod's warnings, the most important first, in one line of at most 900 bytes.
    pub note: String,
}

/// Where findings go. Telling never waits and may lose some: an admission does not depend on who listens.
pub trait Findings: fmt::Debug + Send + Sync + 'static {
    /// Tells of a finding.
    fn tell(&self, finding: Finding);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFindings;

impl Findings for NoFindings {
    fn tell(&self, _: Finding) {}
}
