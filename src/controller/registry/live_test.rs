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
    told(host, &steps, named)
}

fn told(host: &str, steps: &[Taken], named: bool) -> Tested {
    let mut said: Vec<String> = Vec::new();
    let mut cause = None;
    for taken in steps {
        let name = name(taken.step);
        match &taken.outcome {
            Outcome::Passed(seen) => said.push(format!("{name}: {seen}")),
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
                said.push(format!("{name} failed: {}. {remedy}", failure.detail));
                cause = Some(failure.cause);
            }
        }
    }
    Tested {
        cause,
        message: said.join("; "),
    }
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
