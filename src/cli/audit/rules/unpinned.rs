//! An image runs by a tag that may move: the next Pod may run another build than its siblings.

use crate::{
    cli::audit::{
        judge::{Said, SlotCase},
        look::Case,
        report::State,
    },
    domain::{explain::shown, policy::Mode},
};

pub(super) fn judge(case: &Case<'_>, slot: &SlotCase<'_>) -> Option<Said> {
    // Templates keep their tags; in an enforced namespace their Pods do not.
    let is_kept = case.shape.is_template && case.room.choice.mode == Some(Mode::Enforce);
    if is_kept {
        return None;
    }
    let message = match (slot.state, slot.becomes) {
        (State::ShortName, _) => {
            "it names no registry, and the policy leaves such images as they are; write its host in front".to_owned()
        }
        (State::Unpinned, Some(to)) if to.contains('@') => {
            format!("its tag may move; enforcing would write {}", shown(to))
        }
        (State::Unpinned, _) => "its tag may move".to_owned(),
        _ => return None,
    };
    Some(Said {
        message,
        ..Said::default()
    })
}
