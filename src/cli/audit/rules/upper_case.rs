//! An image's name has upper-case letters: the kubelet refuses it, or takes the owner for a host.

use crate::{
    cli::audit::{
        judge::{Said, SlotCase},
        look::Case,
    },
    domain::{explain::shown, reference},
};

pub(super) fn judge(_: &Case<'_>, slot: &SlotCase<'_>) -> Option<Said> {
    let written = slot.assessed.slot.image;
    let canonical = reference::canonicalise(written, false).ok()?;
    // Nothing but white space around it and the case of its name is changed.
    if canonical.text == written.trim() {
        return None;
    }
    Some(Said {
        message: format!(
            "registries know lower case only, and no Pod can pull it as it is written; write {}",
            shown(&canonical.text)
        ),
        ..Said::default()
    })
}
