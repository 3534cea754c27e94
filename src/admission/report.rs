//! What becomes known of an admission besides its answer: metrics, log lines, audit annotations, and findings for the
//! people behind a controller.

mod finding;
mod quota;

use std::{sync::Arc, time::Instant};

use tracing::{Level, enabled};

use crate::{
    domain::{
        assess::Assessed,
        plan::{Inputs, Outcome, Plan},
        policy::{Cause, Mode},
        question::Answer,
    },
    telemetry::metrics::{self, Metrics, PodAnswer, SlotOutcome},
};

use self::quota::{Quota, Turn};
use super::{
    findings::{Findings, NoFindings},
    review::{Request, Told},
};

/// Tells of admissions.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) findings: Arc<dyn Findings>,
    lines: Quota,
}

/// One slot, and what became of it.
type Judged<'i> = (&'i Assessed<'i>, &'i Answer, Outcome);

impl Default for Report {
    fn default() -> Self {
        Self {
            findings: Arc::new(NoFindings),
            lines: Quota::default(),
        }
    }
}

impl Report {
    /// Counts, logs and passes on what came of one review; what the audit log shall have of it, if any image was
    /// looked at.
    pub(super) fn tell(
        &self,
        metrics: &Metrics,
        inputs: &Inputs<'_>,
        request: &Request<'_>,
        plan: &Plan,
    ) -> Option<Told> {
        count(metrics, inputs, request, plan);
        for judged in judged(inputs, plan) {
            self.log(inputs, request, plan, judged);
        }
        if let Some(reason) = plan.denial.as_deref() {
            self.log_denial(inputs, request, reason);
        }
        if let Some(finding) = finding::of(inputs, request, plan) {
            self.findings.tell(finding);
        }
        (!plan.outcomes.is_empty()).then(|| Told {
            mode: inputs.mode,
            outcomes: outcomes(inputs, plan),
        })
    }

    fn log(
        &self,
        inputs: &Inputs<'_>,
        request: &Request<'_>,
        plan: &Plan,
        (assessed, answer, outcome): Judged<'_>,
    ) {
        let slot = &assessed.slot;
        macro_rules! line {
            ($level:ident, $message:literal $(, $field:ident = $value:expr)*) => {
                tracing::$level!(
                    namespace = inputs.namespace,
                    kind = inputs.kind_name,
                    name = request.object_name(),
                    mode = inputs.mode.as_str(),
                    dry_run = request.is_dry_run(),
                    slot = %slot,
                    image = %slot.image.escape_debug(),
                    $($field = $value,)*
                    $message
                )
            };
        }
        let cause = match outcome {
            Outcome::Unpinned(cause) => cause,
            Outcome::Stale if self.is_its_turn(inputs.namespace) => {
                return line!(info, "image pinned to the last digest known");
            }
            Outcome::Pinned | Outcome::Stale | Outcome::Left => {
                if enabled!(Level::DEBUG) {
                    let change = plan.changes.get(&slot.key());
                    let to = change.map(|change| change.to.escape_debug().to_string());
                    line!(
                        debug,
                        "image looked at",
                        outcome = label(outcome).as_str(),
                        to = to
                    );
                }
                return;
            }
        };
        let detail = inputs
            .failure(answer)
            .map(|failure| failure.detail.as_str());
        let (cause, denied) = (cause.as_str(), plan.denial.is_some());
        if self.is_its_turn(inputs.namespace) {
            line!(
                info,
                "image not pinned",
                cause = cause,
                detail = detail,
                denied = denied
            );
        } else {
            line!(
                debug,
                "image not pinned",
                cause = cause,
                detail = detail,
                denied = denied
            );
        }
    }

    fn log_denial(&self, inputs: &Inputs<'_>, request: &Request<'_>, reason: &str) {
        if self.is_its_turn(inputs.namespace) {
            tracing::info!(
                namespace = inputs.namespace,
                kind = inputs.kind_name,
                name = request.object_name(),
                dry_run = request.is_dry_run(),
                reason,
                "denied"
            );
        }
    }

    /// A namespace's label names a policy that does not exist.
    pub(super) fn unknown_policy(&self, namespace: &str, policy: &str) {
        if self.is_its_turn(namespace) {
            tracing::warn!(namespace, policy, "no such policy; the default is used");
        }
    }

    fn is_its_turn(&self, namespace: &str) -> bool {
        let turn = self.lines.take(namespace, Instant::now());
        if turn == Turn::Over {
            tracing::info!(
                namespace,
                "more lines of this namespace are left out of the log for up to a minute; level debug has them"
            );
        }
        turn == Turn::Yes
    }
}

fn judged<'i>(inputs: &Inputs<'i>, plan: &Plan) -> impl Iterator<Item = Judged<'i>> {
    let answered = inputs.assessed.iter().zip(inputs.answers);
    answered
        .zip(&plan.outcomes)
        .map(|((assessed, answer), outcome)| (assessed, answer, *outcome))
}

/// Dry runs and templates make no Pods, so they count for no namespace.
fn count(metrics: &Metrics, inputs: &Inputs<'_>, request: &Request<'_>, plan: &Plan) {
    let makes_a_pod = inputs.reach.is_some() && !request.is_dry_run();
    let pods = makes_a_pod.then(|| metrics.pods_of(inputs.namespace, mode(inputs.mode)));
    for (_, answer, outcome) in judged(inputs, plan) {
        let outcome = label(outcome);
        metrics.slot(outcome);
        if answer.gone {
            metrics.sibling_gone();
        }
        if let Some(pods) = &pods {
            pods.slot(outcome);
        }
    }
    if let Some(pods) = &pods {
        pods.pod(pod_answer(inputs, plan));
    }
}

fn pod_answer(inputs: &Inputs<'_>, plan: &Plan) -> PodAnswer {
    let would_patch = inputs.mode == Mode::Audit
        && !(plan.changes.is_empty()
            && plan.unpinned.is_empty()
            && inputs.injection.secrets.is_empty());
    if plan.denial.is_some() || plan.would_deny {
        PodAnswer::Denied
    } else if would_patch || !plan.patch.is_empty() {
        PodAnswer::Patched
    } else {
        PodAnswer::Allowed
    }
}

/// Slot to outcome, as JSON.
fn outcomes(inputs: &Inputs<'_>, plan: &Plan) -> String {
    let mut text = Vec::with_capacity(32 * plan.outcomes.len());
    text.push(b'{');
    for (assessed, _, outcome) in judged(inputs, plan) {
        if text.len() > 1 {
            text.push(b',');
        }
        // Writing into a Vec cannot fail.
        let _ = serde_json::to_writer(&mut text, &assessed.slot.key());
        text.push(b':');
        let _ = serde_json::to_writer(&mut text, label(outcome).as_str());
    }
    text.push(b'}');
    String::from_utf8(text).unwrap_or_default()
}

fn mode(mode: Mode) -> metrics::Mode {
    match mode {
        Mode::Enforce => metrics::Mode::Enforce,
        Mode::Audit => metrics::Mode::Audit,
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
