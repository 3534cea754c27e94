//! What an admission finds about a controller's Pod.

use std::fmt::Write as _;

use crate::{
    admission::{
        findings::{Finding, Owner, Reason},
        review::Request,
    },
    domain::{
        plan::{Inputs, Plan},
        policy::Mode,
        scope::{Operation, Reach},
        warning::Weight,
    },
};

/// Bytes of a note: an Event takes 1,024, and who writes it adds a few words.
const LONGEST_NOTE: usize = 900;

/// What its owner's people should hear of a Pod that is created; a person who creates a Pod reads the warnings, and a
/// controller writes an Event of its own when a Pod of its is denied.
pub(super) fn of(inputs: &Inputs<'_>, request: &Request<'_>, plan: &Plan) -> Option<Finding> {
    let is_created = request.operation() == Operation::Create && inputs.reach == Some(Reach::Whole);
    if !is_created || request.is_dry_run() || plan.denial.is_some() {
        return None;
    }
    let reason = reason(inputs, plan)?;
    let owner = inputs.object.metadata.controller()?;
    Some(Finding {
        namespace: inputs.namespace.into(),
        owner: Owner {
            api_version: (&*owner.api_version).into(),
            kind: (&*owner.kind).into(),
            name: (&*owner.name).into(),
            uid: (&*owner.uid).into(),
        },
        reason,
        note: note(plan),
    })
}

fn reason(inputs: &Inputs<'_>, plan: &Plan) -> Option<Reason> {
    let warnings = &plan.warnings;
    let injects = !inputs.injection.secrets.is_empty();
    if plan.would_deny {
        Some(Reason::WouldDeny)
    } else if !plan.unpinned.is_empty() {
        Some(Reason::Unpinned)
    } else if warnings.has(Weight::Fatal) || warnings.has(Weight::Credential) {
        Some(Reason::PullSecret)
    } else if inputs.mode == Mode::Audit && (injects || !plan.changes.is_empty()) {
        Some(Reason::WouldChange)
    } else {
        None
    }
}

fn note(plan: &Plan) -> String {
    let lines = plan.warnings.clone().lines();
    let mut note = String::new();
    for (index, line) in lines.iter().enumerate() {
        if note.len() + line.len() > LONGEST_NOTE {
            // Writing into a String cannot fail.
            let _ = write!(note, "; and {} more", lines.len() - index);
            break;
        }
        if index > 0 {
            note.push_str("; ");
        }
        note.push_str(line);
    }
    note
}
