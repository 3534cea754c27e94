//! Records what the Pods of each revision run, in `RevisionPin`s. Only the leader writes.

use std::time::Duration;

use k8s_openapi::{
    api::apps::v1::ControllerRevision, apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::{
    Api, Client, Resource as _,
    api::{Patch, PatchParams},
};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use super::trouble::{self, Trouble};
use crate::{
    api::{
        refusal,
        revision_pin::{Learned, RevisionPin},
    },
    domain::revision::OwnerKind,
};

/// Who writes, as the API server notes it in `managedFields`.
const WRITER: &str = "cotter";

/// What comes together is looked at together: the first Pods of a revision, and who of them is the oldest.
const SETTLE: Duration = Duration::from_secs(1);

/// Between two writes: at most ten a second, whatever the users of a cluster do.
const PACE: Duration = Duration::from_millis(100);

/// How often revisions come again that could not be recorded.
const AGAIN: Duration = Duration::from_mins(1);

/// Taken at once; the rest waits where it is known.
const BATCH: usize = 64;

/// What is written.
const PINS: &str = "revisionpins.cotter.dev";

/// How long a write may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is known of revisions.
pub trait Revisions: Send + Sync + 'static {
    /// Takes `most` revisions whose Pods run what is not recorded; they come again when their Pods change.
    fn take_unrecorded(&self, most: usize) -> Vec<Learned>;

    /// Lets those come again that were taken and are still not recorded.
    fn look_again(&self);

    /// Changes when there may be some.
    fn news(&self) -> watch::Receiver<()>;
}

/// Writes the pins.
///
/// Permissions, in each namespace: `create` and `patch` on revisionpins.cotter.dev, `get` on controllerrevisions.apps.
pub struct Recorder<R> {
    client: Client,
    revisions: R,
    leader: watch::Receiver<bool>,
    /// Whether any has failed since they were looked at again: only the first one is told, since each failure names
    /// another object and there are as many as revisions.
    has_failed: bool,
    trouble: watch::Sender<Option<Trouble>>,
}

impl<R: Revisions> Recorder<R> {
    /// A recorder that writes while `leader` says so.
    pub fn new(client: Client, revisions: R, leader: watch::Receiver<bool>) -> Self {
        Self {
            client,
            revisions,
            leader,
            has_failed: false,
            trouble: watch::Sender::new(None),
        }
    }

    /// Why a revision is not recorded, while that is so.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<Trouble>> {
        self.trouble.subscribe()
    }

    /// Records for ever; ends when nobody can lead any more.
    pub async fn run(mut self) {
        let mut news = self.revisions.news();
        let mut again = interval(AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if !*self.leader.borrow() {
                self.has_failed = false;
                self.trouble.send_replace(None);
            }
            if self.leader.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            tokio::select! {
                changed = news.changed() => if changed.is_err() { return },
                // The first tick comes at once, and with it what was missed before this replica led.
                _ = again.tick() => {
                    self.begin_again();
                    self.revisions.look_again();
                }
            }
            sleep(SETTLE).await;
            self.record_all().await;
        }
    }

    async fn record_all(&mut self) {
        while *self.leader.borrow() {
            let batch = self.revisions.take_unrecorded(BATCH);
            if batch.is_empty() {
                return;
            }
            for learned in &batch {
                if !*self.leader.borrow() {
                    return;
                }
                let begun = Instant::now();
                let written = timeout(PATIENCE, record(&self.client, learned)).await;
                let silent = || Err("no answer in time".to_owned().into());
                if let Err(error) = written.unwrap_or_else(|_| silent()) {
                    self.failed(learned, error);
                }
                sleep(PACE.saturating_sub(begun.elapsed())).await;
            }
        }
    }

    /// Those that failed come again: what fails now is told anew, and where nothing did, all is well.
    fn begin_again(&mut self) {
        if !std::mem::take(&mut self.has_failed) {
            self.trouble.send_replace(None);
        }
    }

    fn failed(&mut self, learned: &Learned, error: Trouble) {
        if std::mem::replace(&mut self.has_failed, true) {
            return;
        }
        tracing::warn!(
            namespace = %learned.revision.namespace,
            workload = %learned.workload.name,
            "a revision's digests are not recorded, its Pods still tell them: {error}"
        );
        self.trouble.send_replace(Some(error));
    }
}

async fn record(client: &Client, learned: &Learned) -> Result<(), Trouble> {
    let namespace = &*learned.revision.namespace;
    let Some(owner) = owner(client, learned).await? else {
        // It has gone meanwhile, or somebody scribbled on a Pod.
        return Ok(());
    };
    let mut pin = RevisionPin::of(&owner.uid, learned);
    let name = owner.uid.clone();
    pin.metadata.owner_references = Some(vec![owner]);
    let pins: Api<RevisionPin> = Api::namespaced(client.clone(), namespace);
    let params = PatchParams::apply(WRITER).force();
    let written = pins.patch(&name, &params, &Patch::Apply(&pin)).await;
    let failed = |error: kube::Error| {
        let verb = match &error {
            kube::Error::Api(status) => refusal::verb_of_apply(status),
            _ => "patch",
        };
        trouble::of(&error, verb, PINS, namespace)
    };
    written.map(drop).map_err(failed)
}

/// The object that a revision goes with, whose uid is the pin's name too: nothing else has it, and it never changes.
async fn owner(client: &Client, learned: &Learned) -> Result<Option<OwnerReference>, Trouble> {
    let (revision, workload) = (&learned.revision, &learned.workload);
    let reference = match workload.kind {
        OwnerKind::DaemonSet | OwnerKind::StatefulSet => {
            controller_revision(client, learned).await?
        }
        kind => Some(OwnerReference {
            api_version: kind.api_version().to_owned(),
            kind: kind.as_str().to_owned(),
            name: workload.name.to_string(),
            uid: revision.owner.to_string(),
            ..OwnerReference::default()
        }),
    };
    Ok(reference.filter(|owner| is_uid(&owner.uid) && !owner.name.is_empty()))
}

/// The ControllerRevision of a DaemonSet's or StatefulSet's Pods. A StatefulSet's Pods carry its name, a DaemonSet's
/// what follows the DaemonSet's name in it.
async fn controller_revision(
    client: &Client,
    learned: &Learned,
) -> Result<Option<OwnerReference>, Trouble> {
    let (revision, workload) = (&learned.revision, &learned.workload);
    let namespace = &*revision.namespace;
    let Some(hash) = revision.hash.as_deref().filter(|hash| !hash.is_empty()) else {
        return Ok(None);
    };
    let full = format!("{}-{hash}", workload.name);
    let names = match workload.kind {
        OwnerKind::StatefulSet => [hash.to_owned(), full],
        _ => [full, hash.to_owned()],
    };
    let revisions: Api<ControllerRevision> = Api::namespaced(client.clone(), namespace);
    for name in names.iter().filter(|name| is_name(name)) {
        let found = revisions.get_opt(name).await;
        let found = found
            .map_err(|error| trouble::of(&error, "get", "controllerrevisions.apps", namespace))?;
        let Some(found) = found else {
            continue;
        };
        let owners = found.metadata.owner_references.iter().flatten();
        if owners
            .map(|owner| &owner.uid)
            .any(|uid| *uid == *revision.owner)
        {
            return Ok(found.owner_ref(&()));
        }
    }
    Ok(None)
}

/// Whether a text is a uid as the API server makes them, and so a valid name.
fn is_uid(text: &str) -> bool {
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b) || b == b'-';
    text.len() == 36 && text.bytes().all(is_digit) && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether a text may stand in the path of a request.
fn is_name(text: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    text.len() <= 253 && text.bytes().all(is_letter) && !text.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::revision_pin::Workload, domain::revision::OwnerRevision};
    use kube::client::Body;
    use rstest::rstest;

    struct Nothing;

    impl Revisions for Nothing {
        fn take_unrecorded(&self, _: usize) -> Vec<Learned> {
            Vec::new()
        }

        fn look_again(&self) {}

        fn news(&self) -> watch::Receiver<()> {
            watch::Sender::new(()).subscribe()
        }
    }

    #[tokio::test]
    async fn of_many_failures_one_is_told_and_it_is_taken_back_when_there_are_none() {
        let silent = tower::service_fn(|_: http::Request<Body>| {
            std::future::pending::<Result<http::Response<Body>, kube::Error>>()
        });
        let client = Client::new(silent, "default");
        let (_leads, leader) = watch::channel(true);
        let mut recorder = Recorder::new(client, Nothing, leader);
        let told = recorder.trouble();
        let said = || told.borrow().clone().map(|trouble| trouble.text);
        let learned = Learned {
            revision: OwnerRevision {
                namespace: "shop".into(),
                owner: "u".into(),
                hash: None,
            },
            workload: Workload {
                kind: OwnerKind::ReplicaSet,
                name: "web".into(),
            },
            slots: Vec::new(),
        };
        for text in ["may not patch one", "may not patch two"] {
            recorder.failed(&learned, text.to_owned().into());
        }
        assert_eq!(said().as_deref(), Some("may not patch one"));
        recorder.begin_again();
        assert_eq!(
            said().as_deref(),
            Some("may not patch one"),
            "not known yet"
        );
        recorder.begin_again();
        assert_eq!(said(), None);
    }

    #[rstest]
    #[case::of_the_api_server("0a1b2c3d-4e5f-6789-abcd-ef0123456789", true)]
    #[case::short("u", false)]
    #[case::upper_case("0A1B2C3D-4E5F-6789-ABCD-EF0123456789", false)]
    #[case::a_path("../secrets/0a1b2c3d4e5f6789abcdef012", false)]
    fn uids(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_uid(text), expected);
    }

    #[rstest]
    #[case::a_name("web-5d8b", true)]
    #[case::a_path("../../secrets/x", false)]
    #[case::a_parent("..", false)]
    #[case::a_query("web?x=y", false)]
    fn names(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_name(text), expected);
    }
}
