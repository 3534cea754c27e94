//! The rules that judge one image of a workload; each says nothing where all is well.

mod drifted;
pub(super) mod missing_secret;
mod unpinned;
mod unresolved;
mod upper_case;

use super::{
    judge::{Said, SlotCase},
    look::Case,
    report::FindingKind,
};

/// A rule.
pub(super) type Rule = fn(&Case<'_>, &SlotCase<'_>) -> Option<Said>;

/// All rules, and what each finds.
pub(super) const OF_SLOTS: [(FindingKind, Rule); 5] = [
    (FindingKind::Unpinned, unpinned::judge),
    (FindingKind::Drifted, drifted::judge),
    (FindingKind::Unresolved, unresolved::judge),
    (FindingKind::MissingSecret, missing_secret::judge),
    (FindingKind::UpperCase, upper_case::judge),
];
