//! What runs is not what its tag means now: the next Pod, or the next node, runs another build.

use crate::cli::audit::{
    drift::Drift,
    judge::{Said, SlotCase},
    look::Case,
    report::State,
};

pub(super) fn judge(case: &Case<'_>, slot: &SlotCase<'_>) -> Option<Said> {
    let now = slot.tag.now.as_ref()?;
    let tag = slot.assessed.canonical()?.reference.tag_or_default()?;
    let drifted = slot
        .tag
        .running
        .iter()
        .filter(|(_, drift, _)| *drift == Drift::Drifted);
    let digests: Vec<_> = drifted
        .clone()
        .filter_map(|(digest, _, _)| digest.as_ref())
        .collect();
    let pods: usize = drifted.map(|(_, _, pods)| pods).sum();
    let first = digests.first()?;
    let more = match digests.len() {
        1 => String::new(),
        many => format!(" and {} other builds", many - 1),
    };
    let consequence = match slot.state {
        State::Pinned => "the next rollout gets it",
        _ => "the next Pod gets it",
    };
    let all = case.members.pods;
    Some(Said {
        message: format!(
            "{pods} of {all} Pods run {}{more}, and {tag} means {} now; {consequence}",
            first.short(),
            now.short()
        ),
        pods: Some(pods),
        ..Said::default()
    })
}
