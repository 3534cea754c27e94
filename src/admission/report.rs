//! What the operators of cotter learn of an admission: a metric for each slot, a log line for each that stayed unpinned.

use crate::{
    domain::{
        plan::{Inputs, Outcome, Plan},
        policy::Cause,
    },
    telemetry::metrics::{Metrics, SlotOutcome},
};

/// Counts and logs the outcomes of one admission.
pub(super) fn outcomes(metrics: &Metrics, inputs: &Inputs<'_>, name: &str, plan: &Plan) {
    let slots = inputs
        .assessed
        .iter()
        .zip(inputs.answers)
        .zip(&plan.outcomes);
    for ((assessed, answer), outcome) in slots {
        metrics.slot(label(*outcome));
        if answer.gone {
            metrics.sibling_gone();
        }
        let Outcome::Unpinned(cause) = outcome else {
            continue;
        };
        tracing::info!(
            namespace = inputs.namespace,
            kind = inputs.kind_name,
            name,
            mode = inputs.mode.as_str(),
            slot = %assessed.slot,
            image = %assessed.slot.image.escape_debug(),
            cause = cause.as_str(),
            detail = inputs.failure(answer).map(|failure| failure.detail.as_str()),
            denied = plan.denial.is_some(),
            "image not pinned"
        );
    }
}

fn label(outcome: Outcome) -> SlotOutcome {
    match outcome {
        Outcome::Pinned => SlotOutcome::Pinned,
        Outcome::Stale => SlotOutcome::Stale,
        Outcome::Left => SlotOutcome::Left,
        Outcome::Unpinned(Cause::Invalid) => SlotOutcome::Invalid,
        Outcome::Unpinned(Cause::NotFound) => SlotOutcome::NotFound,
        Outcome::Unpinned(Cause::Unauthorized) => SlotOutcome::Unauthorized,
        Outcome::Unpinned(Cause::Unavailable) => SlotOutcome::Unavailable,
        Outcome::Unpinned(Cause::Refused) => SlotOutcome::Refused,
    }
}
