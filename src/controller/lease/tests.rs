use std::sync::{Mutex, MutexGuard};

use futures_util::FutureExt as _;
use tokio::{sync::oneshot, task::JoinHandle, time::sleep};

use super::*;

/// One Lease that several candidates share, at an API server that can be told to hang or to fail.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lease: Option<Lease>,
    version: u64,
    /// Identities whose requests stay unanswered; what they write is written all the same.
    hanging: Vec<&'static str>,
    failing: bool,
}

struct Store {
    shared: Shared,
    of: &'static str,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn holder(&self) -> String {
        let state = self.state();
        state
            .lease
            .as_ref()
            .map(holder)
            .unwrap_or_default()
            .to_owned()
    }

    fn start(&self, identity: &'static str) -> Replica {
        let (stop, stopped) = oneshot::channel::<()>();
        let store = Store {
            shared: self.clone(),
            of: identity,
        };
        let (candidate, leads) = Candidate::new(store, identity.to_owned(), Arc::default());
        let task = tokio::spawn(candidate.run(stopped.map(|_| ())));
        Replica { stop, leads, task }
    }
}

struct Replica {
    stop: oneshot::Sender<()>,
    leads: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Replica {
    fn leads(&self) -> bool {
        *self.leads.borrow()
    }
}

impl Store {
    async fn answer(&self) -> Result<(), Trouble> {
        let (hangs, fails) = {
            let state = self.shared.state();
            (state.hanging.contains(&self.of), state.failing)
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        if fails {
            Err("down".to_owned().into())
        } else {
            Ok(())
        }
    }
}

impl Leases for Store {
    fn read(&self) -> BoxFuture<'_, Result<Option<Lease>, Trouble>> {
        async {
            self.answer().await?;
            Ok(self.shared.state().lease.clone())
        }
        .boxed()
    }

    fn write(&self, mut lease: Lease) -> BoxFuture<'_, Result<bool, Trouble>> {
        async {
            self.answer().await?;
            let mut state = self.shared.state();
            let now = state.lease.as_ref();
            if now.and_then(|now| now.metadata.resource_version.clone())
                != lease.metadata.resource_version
            {
                return Ok(false);
            }
            state.version += 1;
            lease.metadata.resource_version = Some(state.version.to_string());
            state.lease = Some(lease);
            Ok(true)
        }
        .boxed()
    }
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn one_of_many_leads_and_goes_on_leading() {
    let shared = Shared::default();
    let replicas = ["a", "b", "c"].map(|name| shared.start(name));
    for _ in 0..60 {
        seconds(1).await;
        assert_eq!(replicas.iter().filter(|r| r.leads()).count(), 1);
    }
    let spec = shared.state().lease.clone().unwrap().spec.unwrap();
    assert_eq!(spec.lease_transitions, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_back_is_taken_within_a_second() {
    let shared = Shared::default();
    let a = shared.start("a");
    seconds(1).await;
    let b = shared.start("b");
    seconds(5).await;
    assert!(a.leads() && !b.leads());
    a.stop.send(()).unwrap();
    a.task.await.unwrap();
    assert!(!*a.leads.borrow());
    sleep(Duration::from_millis(1100)).await;
    assert!(b.leads());
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_died_is_waited_for() {
    let shared = Shared::default();
    let a = shared.start("a");
    seconds(1).await;
    let b = shared.start("b");
    seconds(5).await;
    a.task.abort();
    seconds(12).await;
    assert!(!b.leads(), "the Lease lives for 15 s");
    seconds(5).await;
    assert!(b.leads());
}

/// Dates in the Lease are other machines' and say nothing.
#[tokio::test(start_paused = true)]
async fn a_holder_with_a_wrong_clock_is_believed_nothing() {
    let shared = Shared::default();
    let a = shared.start("a");
    seconds(1).await;
    let b = shared.start("b");
    for _ in 0..40 {
        seconds(1).await;
        if let Some(spec) = shared.state().lease.as_mut().and_then(|l| l.spec.as_mut()) {
            spec.renew_time = Some(MicroTime(Timestamp::UNIX_EPOCH));
        }
        assert!(a.leads() && !b.leads());
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_stops_before_another_starts() {
    let shared = Shared::default();
    let a = shared.start("a");
    seconds(1).await;
    let b = shared.start("b");
    seconds(5).await;
    shared.state().hanging.push("a");
    let (mut gap, mut stopped) = (0, false);
    for _ in 0..250 {
        sleep(Duration::from_millis(100)).await;
        assert!(!(a.leads() && b.leads()));
        stopped |= !a.leads();
        gap += u32::from(!a.leads() && !b.leads());
    }
    assert!(stopped && b.leads());
    assert!(gap >= 20, "nobody leads for seconds, not two for a moment");
    shared.state().hanging.clear();
    seconds(10).await;
    assert!(b.leads() && !a.leads());
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_for_a_moment_changes_nothing() {
    let shared = Shared::default();
    let a = shared.start("a");
    seconds(5).await;
    shared.state().failing = true;
    seconds(7).await;
    assert!(a.leads());
    seconds(4).await;
    assert!(!a.leads(), "ten seconds are too long");
    shared.state().failing = false;
    seconds(2).await;
    assert!(a.leads());
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_deleted_is_made_again() {
    let shared = Shared::default();
    let a = shared.start("a");
    seconds(5).await;
    shared.state().lease = None;
    seconds(3).await;
    assert_eq!((shared.holder().as_str(), a.leads()), ("a", true));
}

/// A replica that is told to stop while its first write is on its way may hold the Lease without knowing.
#[tokio::test(start_paused = true)]
async fn what_was_held_unknowingly_is_given_back_too() {
    let shared = Shared::default();
    let store = Store {
        shared: shared.clone(),
        of: "a",
    };
    let (candidate, _) = Candidate::new(store, "a".to_owned(), Arc::default());
    shared.state().version = 1;
    let mut lease = candidate.renewed(Lease::default());
    lease.metadata.resource_version = Some("1".to_owned());
    shared.state().lease = Some(lease);
    candidate.run(std::future::ready(())).await;
    assert_eq!(shared.holder(), "");
}

#[test]
fn who_is_alone_leads() {
    let metrics = Metrics::default();
    assert!(*alone(&metrics).1.borrow());
    assert!(metrics.encode().contains("cotter_leader 1"));
}
