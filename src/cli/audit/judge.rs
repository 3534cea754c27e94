//! From what was listed and answered to what an audit says of the Pods of one shape. Pure: the same case, the same
//! judgement.

use smol_str::SmolStr;

use super::{
    drift::Drift,
    enforcing,
    look::{Case, Tag},
    report::{Enforcing, Finding, FindingKind, ImageReport, State},
    rules,
};
use crate::domain::{
    assess::{Assessed, Left, Verdict},
    images::Changes,
    policy::Cause,
    question::Answer,
};

/// What is said of the Pods of one shape.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// Their images.
    pub(super) images: Vec<ImageReport>,
    /// What somebody has to look at.
    pub(super) findings: Vec<Finding>,
    /// Running images that cannot be compared with their tags.
    pub(super) drift_unknown: usize,
    /// What enforcing would change.
    pub(super) enforcing: Enforcing,
    /// The pull secrets that it would inject.
    pub(super) injected: Vec<SmolStr>,
    /// The normalised names of their repositories.
    pub(super) lookup_names: Vec<SmolStr>,
}

/// One slot of a case.
#[derive(Clone, Copy)]
pub(super) struct SlotCase<'a> {
    /// The slot, and what is to be done with it.
    pub(super) assessed: &'a Assessed<'a>,
    /// How it stands.
    pub(super) state: State,
    /// What is known of its image.
    pub(super) answer: &'a Answer,
    /// What its tag means now.
    pub(super) tag: &'a Tag,
    /// What enforcing would write in its place.
    pub(super) becomes: Option<&'a str>,
}

/// What a rule says of a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// What it is, and what to do.
    pub(super) message: String,
    /// Why a reference has no meaning.
    pub(super) cause: Option<Cause>,
    /// Pods that it concerns, where not all of them.
    pub(super) pods: Option<usize>,
}

/// Judges.
pub(super) fn judge(case: &Case<'_>) -> Judged {
    let names = case.assessed.iter().filter_map(Assessed::canonical);
    let mut judged = Judged {
        lookup_names: names.map(|c| c.reference.lookup_name().into()).collect(),
        ..Judged::default()
    };
    let changes = if case.is_skipped() {
        Changes::default()
    } else {
        let plan = enforcing::plan(case);
        judged.enforcing = enforcing::count(case, &plan);
        judged.injected.clone_from(&case.preview.injection.secrets);
        plan.changes
    };
    if case.members.pods == 0 && !case.shape.is_template {
        return judged;
    }
    let slots = case
        .assessed
        .iter()
        .zip(&case.preview.standing)
        .zip(&case.tags);
    for ((assessed, answer), tag) in slots {
        let key = assessed.slot.key();
        let slot = SlotCase {
            assessed,
            state: state(case, assessed),
            answer,
            tag,
            becomes: changes.get(&key).map(|change| &*change.to),
        };
        for (kind, rule) in rules::OF_SLOTS {
            if let Some(said) = rule(case, &slot) {
                judged.findings.push(case.finding(kind, &slot, said));
            }
        }
        let image = case.image(&slot, key);
        judged.drift_unknown += usize::from(image.drift == Some(Drift::Unknown));
        judged.images.push(image);
    }
    for (secret, message) in rules::missing_secret::named(case) {
        judged.findings.push(Finding {
            secret: Some(secret),
            message,
            ..case.plain_finding(FindingKind::MissingSecret)
        });
    }
    judged
}

fn state(case: &Case<'_>, assessed: &Assessed<'_>) -> State {
    match &assessed.verdict {
        Verdict::Invalid(_) => State::Invalid,
        Verdict::Left(_, Left::Digest) => State::Pinned,
        Verdict::Left(_, Left::NeverPulled) => State::NeverPulled,
        _ if case.is_skipped() => State::Skipped,
        Verdict::Left(_, Left::ImmutableTag) => State::Immutable,
        Verdict::Left(_, Left::Skipped) => State::Skipped,
        Verdict::Left(_, Left::ShortName | Left::ShortNameDenied) => State::ShortName,
        Verdict::Left(_, Left::Offline) | Verdict::Ask(_) => State::Unpinned,
    }
}

// === impl Case ===

impl Case<'_> {
    /// Whether the Pods ask to be left alone, and may.
    pub(super) fn is_skipped(&self) -> bool {
        self.shape.asks_to_be_skipped && self.policy.allow_skip.0
    }

    /// Whether the nodes hold the credential for a slot's registry, so that others cannot ask it.
    pub(super) fn is_node_held(&self, slot: &SlotCase<'_>) -> bool {
        let canonical = slot.assessed.canonical();
        let domain = canonical.map(|canonical| canonical.reference.domain());
        domain.is_some_and(|domain| self.node_held.iter().any(|held| held == domain))
    }

    /// Whether a registry's refusal says something: not if it was asked without the credentials that a Pod has.
    pub(super) fn can_judge_refusal(&self, slot: &SlotCase<'_>) -> bool {
        !self.credentials.is_unread() && !self.is_node_held(slot)
    }

    fn plain_finding(&self, kind: FindingKind) -> Finding {
        Finding {
            kind,
            namespace: self.shape.namespace.clone(),
            workload: Some(self.shape.workload.clone()),
            slot: None,
            image: None,
            secret: None,
            cause: None,
            message: String::new(),
            pods: self.members.pods,
            template: self.shape.is_template,
            example: Some(self.members.example.clone()),
        }
    }

    fn finding(&self, kind: FindingKind, slot: &SlotCase<'_>, said: Said) -> Finding {
        let plain = self.plain_finding(kind);
        Finding {
            slot: Some(slot.assessed.slot.key()),
            image: Some(slot.assessed.slot.image.into()),
            cause: said.cause.map(Cause::as_str),
            message: said.message,
            pods: said.pods.unwrap_or(plain.pods),
            ..plain
        }
    }

    fn image(&self, slot: &SlotCase<'_>, key: String) -> ImageReport {
        let compared = matches!(
            slot.state,
            State::Pinned | State::Unpinned | State::Immutable
        );
        let drift = slot.tag.running.iter().map(|(_, drift, _)| *drift).max();
        let has_tag = slot
            .assessed
            .canonical()
            .is_some_and(|canonical| canonical.reference.tag_or_default().is_some());
        let running = slot
            .tag
            .running
            .iter()
            .filter_map(|(digest, _, _)| digest.as_ref());
        let answered = slot.answer.resolved().and_then(|(index, _)| {
            let candidate = slot.answer.candidates.list.get(index)?;
            candidate.secret.clone()
        });
        let failed = slot
            .answer
            .failure()
            .filter(|_| slot.answer.resolved().is_none());
        let cause = match &slot.assessed.verdict {
            Verdict::Invalid(_) => Some(Cause::Invalid),
            _ => failed.map(|failure| failure.cause),
        };
        ImageReport {
            namespace: self.shape.namespace.clone(),
            workload: self.shape.workload.clone(),
            slot: key,
            image: slot.assessed.slot.image.into(),
            state: slot.state,
            pods: self.members.pods,
            template: self.shape.is_template,
            digest: slot.tag.now.as_ref().map(|digest| digest.as_str().into()),
            running: running.map(|digest| digest.as_str().into()).collect(),
            drift: drift.filter(|_| compared && has_tag),
            secret: answered,
            cause: cause.map(Cause::as_str),
            becomes: slot.becomes.map(Into::into),
        }
    }
}
