//! What an admission would find for a Pod that is there already, or for the Pods of a template: for who looks at a
//! cluster without changing it.

use std::time::{Duration, Instant};

use crate::domain::{
    assess::{Assessed, Left, Verdict},
    credentials::{Candidates, PodCredentials},
    injection::Injection,
    policy::{PinStyle, Policy},
    question::Answer,
    reference::Canonical,
};

use super::{
    injecting,
    ports::Registry,
    questions::{Terms, ask_all},
};

/// One Pod, and how registries are asked for its images.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Its slots.
    pub assessed: &'a [Assessed<'a>],
    /// The pull secrets that matter for it.
    pub credentials: &'a PodCredentials,
    /// Its namespace's policy.
    pub policy: &'a Policy,
    /// Whether no registry is asked.
    pub offline: bool,
    /// Whether the nodes hold the credential for a host.
    pub node_held: &'a (dyn Fn(&str) -> bool + Sync),
    /// Answers count that were asked for at or after this moment.
    pub since: Instant,
    /// When all answers have to be there.
    pub deadline: Instant,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// What is known of each slot's image as it stands: of digests and of tags that never move too. A digest that
    /// the registry has no longer is [`gone`](Answer::gone), and its tag was asked for instead.
    pub standing: Vec<Answer>,
    /// What an admission would know: of mutable tags only.
    pub answers: Vec<Answer>,
    /// What it would inject.
    pub injection: Injection,
}

/// Asks for everything that an admission would ask for, and for what needs no pin as it stands.
pub async fn preview<R: Registry>(registry: &R, subject: &Subject<'_>) -> Preview {
    let Subject {
        assessed,
        credentials,
        policy,
        offline,
        node_held,
        since,
        deadline,
    } = *subject;
    let terms = |style| Terms::new(style, since, Duration::ZERO, deadline);
    let injectable = policy.inject.enabled;
    let start = |kept: bool, canonical: &Canonical| Answer {
        candidates: if node_held(canonical.reference.domain()) {
            Candidates::node_held()
        } else {
            credentials.candidates(canonical.reference.lookup_name(), injectable)
        },
        kept: canonical.reference.digest().filter(|_| kept).cloned(),
        ..Answer::default()
    };
    let pinned = terms(policy.pin.style);
    let mut answers = ask_all(registry, &pinned, assessed, &[], |_, c| start(false, c)).await;
    let injection = if injectable {
        injecting::inject(
            registry,
            &pinned,
            assessed,
            &mut answers,
            credentials,
            offline,
        )
        .await
    } else {
        Injection::default()
    };
    let standing = if offline {
        answers.clone()
    } else {
        let settled: Vec<_> = assessed.iter().map(as_it_stands).collect();
        let plain = terms(PinStyle::Digest);
        let told = ask_all(registry, &plain, &settled, &[], |_, c| start(true, c)).await;
        let asked = assessed
            .iter()
            .map(|a| matches!(a.verdict, Verdict::Ask(_)));
        let both = answers.iter().zip(told).zip(asked);
        both.map(|((answer, told), asked)| if asked { answer.clone() } else { told })
            .collect()
    };
    Preview {
        standing,
        answers,
        injection,
    }
}

/// The same slot, asked for where an admission would leave it since it cannot move.
fn as_it_stands<'o>(assessed: &Assessed<'o>) -> Assessed<'o> {
    let verdict = match &assessed.verdict {
        Verdict::Left(canonical, Left::Digest | Left::ImmutableTag) => {
            Verdict::Ask(canonical.clone())
        }
        Verdict::Ask(canonical) => Verdict::Left(canonical.clone(), Left::Skipped),
        other => other.clone(),
    };
    Assessed {
        slot: assessed.slot,
        verdict,
    }
}
