//! Kinds of cotter's own, which a cluster may not know, or not let cotter read.

use std::{fmt::Debug, time::Duration};

use kube::{Api, Resource, api::ListParams};
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};

use super::{
    errors::{self, Failure},
    status::Reporter,
    watch::{self, LIST_PATIENCE},
};

/// How often it is looked whether the kind has come, or the permission.
const PAUSE: Duration = Duration::from_secs(30);

/// The same where the API server itself did not answer.
const RETRY: Duration = Duration::from_secs(1);

/// Waits until objects of a kind can be listed. Where they cannot, for a reason that may last, the watch counts as synced:
/// what is lost without them is worth much, but not that no Pod is looked after.
pub(super) async fn wait<K>(api: &Api<K>, report: &mut Reporter, lost: &str)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
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
            tracing::warn!("{lost}, everything else goes on: {}", failure.text);
        }
        report.failed(failure);
        if lasts {
            report.synced();
        }
        sleep(if lasts { PAUSE } else { RETRY }).await;
    }
}

/// Whether they may never be listed, and why they are not.
fn refused(error: &kube::Error, report: &Reporter) -> (bool, Failure) {
    let code = match error {
        kube::Error::Api(status) => status.code,
        _ => 0,
    };
    let target = report.target();
    let failure = if code == 404 {
        let resource = target.resource;
        Failure::of_text(format!(
            "the API server knows no {resource}; install the definition that `cotter crd` prints"
        ))
    } else {
        errors::of_request(error, "list", target)
    };
    (matches!(code, 401 | 403 | 404), failure)
}
