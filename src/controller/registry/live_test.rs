//! The live test: what a pull does, with the credential that the pull secrets are to hold (facts §7).

use std::sync::Arc;

use smol_str::SmolStr;

use crate::{
    api::registry::Probe,
    domain::{credential::Credential, policy::Cause},
    registry::{
        client::Client,
        reading::Place,
        remedy::{self, Reader},
        steps::{Outcome, Step, Taken},
    },
};

/// What is not known without a probe.
const NOT_PROBED: &str =
    "Whether it opens a repository is not tested: name one in spec.probe.repository";

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tested {
    /// Why it failed; `None` where all went through.
    pub(super) cause: Option<Cause>,
    /// Each step with its outcome, and what to do about the last one where it failed.
    pub(super) message: String,
}

/// Asks `host` as a pull does. Without a probe it ends where the registry takes the credential.
pub(super) async fn test(
    client: &Client,
    host: &str,
    credential: Option<Arc<Credential>>,
    probe: Option<&Probe>,
) -> Tested {
    let named = credential.as_ref().is_some_and(|c| !c.is_empty());
    let mut steps = Vec::new();
    let mut hear = |taken: Taken| steps.push(taken);
    let repository = probe.map(|probe| probe.repository.trim_matches('/'));
    let place = Place {
        host: host.into(),
        repository: repository.map(SmolStr::new).unwrap_or_default(),
        credential,
    };
    if client.reach(host, &mut hear).await {
        let tag = probe.map(|probe| probe.tag.as_str());
        client.pull(place, tag, &mut hear).await;
    }
    told(host, &steps, named, probe.is_some())
}

/// What failed comes first: whoever lists Events sees little more of each.
fn told(host: &str, steps: &[Taken], named: bool, is_probed: bool) -> Tested {
    let mut passed: Vec<String> = Vec::new();
    let mut failed = None;
    for taken in steps {
        let name = name(taken.step);
        match &taken.outcome {
            Outcome::Passed(seen) => passed.push(format!("{name}: {seen}")),
            Outcome::Needless(_) => {}
            Outcome::Failed(failure, hint) => {
                let remedy = remedy::of_step(
                    host,
                    taken.step,
                    failure.cause,
                    *hint,
                    named,
                    Reader::Operator,
                );
                let text = format!("{name} failed: {}. {}", failure.detail, sentence(&remedy));
                failed = Some((failure.cause, text));
            }
        }
    }
    let passed = passed.join("; ");
    let message = match &failed {
        Some((_, text)) if passed.is_empty() => text.clone(),
        Some((_, text)) => format!("{text}. Before that: {passed}"),
        None if is_probed => passed,
        None => format!("{passed}. {NOT_PROBED}"),
    };
    Tested {
        cause: failed.map(|(cause, _)| cause),
        message,
    }
}

/// A text with a capital letter, for one that follows another.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Connect => "reachable",
        Step::Tls => "TLS",
        Step::Challenge => "challenge",
        Step::Token => "token",
        Step::Scope => "scope",
        Step::Accepted => "accepted",
        Step::Manifest => "manifest",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::question::Failure;

    fn taken(step: Step, outcome: Outcome) -> Taken {
        Taken {
            step,
            outcome,
            took: Duration::ZERO,
        }
    }

    fn steps(last: Outcome) -> [Taken; 2] {
        let reached = Outcome::Passed("quay.io:443".into());
        [taken(Step::Connect, reached), taken(Step::Token, last)]
    }

    fn refused() -> Outcome {
        let failure = Failure::new(Cause::Unauthorized, "the token server answered 401");
        Outcome::Failed(failure, None)
    }

    #[test]
    fn what_failed_comes_first_then_what_to_do_then_what_went_well() {
        let tested = told("quay.io", &steps(refused()), true, true);
        assert_eq!(tested.cause, Some(Cause::Unauthorized));
        assert_eq!(
            tested.message,
            "token failed: the token server answered 401. Quay wants a robot account (organisation+name) with the \
             permission Read on the repository. Before that: reachable: quay.io:443"
        );
    }

    #[test]
    fn who_sends_nothing_is_told_to_name_a_credential() {
        let tested = told("quay.io", &steps(refused()), false, true);
        let said = "It does not answer anonymously: choose the spec.type";
        assert!(tested.message.contains(said), "{}", tested.message);
    }

    #[test]
    fn without_a_probe_it_is_said_what_is_not_known() {
        let passed = Outcome::Passed("granted".into());
        let tested = told("quay.io", &steps(passed.clone()), true, false);
        let said =
            "reachable: quay.io:443; token: granted. Whether it opens a repository is not tested";
        assert!(tested.message.starts_with(said), "{}", tested.message);
        assert!(
            !told("quay.io", &steps(passed), true, true)
                .message
                .contains("not tested")
        );
    }
}
