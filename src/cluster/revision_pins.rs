//! The watch of `RevisionPin`s. A cluster without that kind, or one that does not let cotter read it, loses the
//! memory of revisions without Pods and nothing else.

use std::{collections::HashSet, sync::Arc, time::Duration};

use kube::{Api, api::ListParams};
use tokio::time::{sleep, timeout};

use super::{
    errors::{self, Failure},
    siblings::{PinName, Scope, SiblingIndex},
    status::Reporter,
    watch::{self, LIST_PATIENCE, Sink},
};
use crate::api::revision_pin::RevisionPin;

/// How often it is looked whether the kind has come, or the permission.
const PAUSE: Duration = Duration::from_secs(30);

/// The same where the API server itself did not answer.
const RETRY: Duration = Duration::from_secs(1);

/// Feeds the index with the pins of one scope.
#[derive(Debug)]
pub(super) struct RevisionPins {
    index: Arc<SiblingIndex>,
    scope: Scope,
    listed: HashSet<PinName>,
}

impl RevisionPins {
    pub(super) fn new(index: Arc<SiblingIndex>, scope: Scope) -> Self {
        Self {
            index,
            scope,
            listed: HashSet::new(),
        }
    }
}

impl Sink for RevisionPins {
    type Object = RevisionPin;

    fn begin(&mut self) {
        self.listed = HashSet::new();
    }

    fn listed(&mut self, pin: RevisionPin) {
        self.listed.insert(name(&pin));
        self.applied(pin);
    }

    fn done(&mut self) {
        let listed = std::mem::take(&mut self.listed);
        self.index.update(|r| r.retain_pins(&self.scope, &listed));
    }

    fn applied(&mut self, pin: RevisionPin) {
        let (name, revision) = (name(&pin), pin.revision());
        let slots = pin.slots().into();
        self.index.update(|r| r.apply_pin(name, revision, slots));
    }

    fn deleted(&mut self, pin: RevisionPin) {
        self.index.update(|r| r.delete_pin(&name(&pin)));
    }
}

fn name(pin: &RevisionPin) -> PinName {
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().into();
    (text(&pin.metadata.namespace), text(&pin.metadata.name))
}

/// Waits until pins can be listed. Where they cannot, for a reason that may last, the watch counts as synced: pins
/// are worth much, but not that no Pod is looked after.
pub(super) async fn wait_until_served(api: &Api<RevisionPin>, report: &mut Reporter) {
    let mut said = None;
    loop {
        let one = ListParams::default().limit(1);
        let (lasts, failure) = match timeout(LIST_PATIENCE, api.list(&one)).await {
            Ok(Ok(_)) => return report.works(),
            Ok(Err(error)) => refused(&error, report),
            Err(_) => (false, watch::unanswered(report)),
        };
        if lasts && said.as_ref() != Some(&failure.text) {
            said = Some(failure.text.clone());
            tracing::warn!(
                "revisions without Pods are not remembered, everything else goes on: {}",
                failure.text
            );
        }
        report.failed(failure);
        if lasts {
            report.synced();
        }
        sleep(if lasts { PAUSE } else { RETRY }).await;
    }
}

/// Whether pins may never be listed, and why they are not.
fn refused(error: &kube::Error, report: &Reporter) -> (bool, Failure) {
    let code = match error {
        kube::Error::Api(status) => status.code,
        _ => 0,
    };
    let failure = if code == 404 {
        Failure::of_text(
            "the API server knows no revisionpins.cotter.dev; install the definition that `cotter crd` prints"
                .to_owned(),
        )
    } else {
        errors::of_request(error, "list", report.target())
    };
    (matches!(code, 401 | 403 | 404), failure)
}
