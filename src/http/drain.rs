//! How a server goes: the phases between the wish to stop and the last answer.
//!
//! The API server keeps its connections to a Pod that has left the Service, so waiting alone only moves the losses.
//! While a server is leaving it answers everything, and each answer asks the caller to take another connection.

use std::time::Duration;

use tokio::sync::watch;
use tracing::info;

use crate::telemetry::readiness::Handle;

/// Where a server is between its start and its end. Phases only go forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Everything is answered, connections are kept.
    Serving,
    /// Everything is answered, new connections are taken, and each ends with its next answer.
    Leaving,
    /// No new connection is taken, idle ones are closed, requests in flight are answered.
    Closing,
}

/// Moves servers from phase to phase. Dropping it closes them.
#[derive(Debug)]
pub struct Drain(watch::Sender<Phase>);

/// A server's view of the phase; clones see the same.
#[derive(Clone, Debug)]
pub struct Phases(watch::Receiver<Phase>);

// === impl Drain ===

impl Default for Drain {
    fn default() -> Self {
        Self(watch::Sender::new(Phase::Serving))
    }
}

impl Drain {
    /// The phase, for a server.
    #[must_use]
    pub fn phases(&self) -> Phases {
        Phases(self.0.subscribe())
    }

    /// Lets the servers leave.
    pub fn leave(&self) {
        self.advance(Phase::Leaving);
    }

    /// Lets the servers close.
    pub fn close(&self) {
        self.advance(Phase::Closing);
    }

    /// Serves until `shutdown` comes, then goes through the phases: `ready` fails, the servers leave for the time
    /// that endpoints need to move, then they close.
    pub async fn follow(
        &self,
        shutdown: impl Future<Output = ()> + Send,
        leaving: Duration,
        ready: &Handle,
    ) {
        ready.pass();
        shutdown.await;
        ready.wait_for("shutting down");
        self.leave();
        info!(seconds = leaving.as_secs_f64(), "leaving, still answering");
        tokio::time::sleep(leaving).await;
        self.close();
        info!("closing, answering what is in flight");
    }

    fn advance(&self, phase: Phase) {
        self.0.send_if_modified(|now| {
            let forward = *now < phase;
            *now = phase.max(*now);
            forward
        });
    }
}

// === impl Phases ===

impl Phases {
    /// Waits until the server is in `phase` or beyond it.
    pub async fn reached(&mut self, phase: Phase) {
        // Nobody is left who could move the phase: the server closes.
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::{sync::oneshot, time::Instant};

    use super::*;
    use crate::telemetry::readiness::Readiness;

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_leaves_first_and_closes_later() {
        let (readiness, drain) = (Readiness::default(), Drain::default());
        let handle = readiness.check("serving");
        let (stop, stopped) = oneshot::channel::<()>();
        let mut phases = drain.phases();
        let begun = Instant::now();
        let follow = async move {
            let shutdown = async { drop(stopped.await) };
            drain
                .follow(shutdown, Duration::from_secs(5), &handle)
                .await;
            drain
        };
        let watch = async {
            tokio::task::yield_now().await;
            assert!(readiness.is_ready());
            stop.send(()).unwrap();
            phases.reached(Phase::Leaving).await;
            assert!(!readiness.is_ready());
            assert_eq!(begun.elapsed(), Duration::ZERO);
            phases.reached(Phase::Closing).await;
            assert_eq!(begun.elapsed(), Duration::from_secs(5));
        };
        let (drain, ()) = tokio::join!(follow, watch);
        drain.leave();
        assert_eq!(*drain.0.borrow(), Phase::Closing);
    }

    #[tokio::test]
    async fn a_server_without_a_drain_closes() {
        let mut phases = Drain::default().phases();
        phases.reached(Phase::Closing).await;
    }
}
