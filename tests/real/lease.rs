//! One of several replicas leads, and the next one takes over.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    lab::{Cotter, Lab, config, eventually, lab, unique},
    support::wait,
};

const MOVES: Duration = Duration::from_secs(10);

fn leads(cotter: &Cotter) -> bool {
    cotter.metric("cotter_leader") > 0.0
}

fn replica(lab: &Lab, namespace: &str, name: &str) -> Cotter {
    let config = config(&[lab.tokens], "");
    let own = [
        "--namespace",
        namespace,
        "--pod-name",
        name,
        "--shutdown-delay",
        "0s",
    ];
    Cotter::start_with(&lab.plane, &config, &own)
}

fn holder(lab: &Lab, namespace: &str) -> Value {
    let lease = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/cotter");
    lab.plane.get(&lease)["spec"]["holderIdentity"].clone()
}

#[test]
fn the_lease_moves_on_sigterm_at_once_and_after_a_sigkill_when_it_is_over() {
    let lab = lab!();
    let namespace = unique("own");
    lab.plane.namespace(&namespace, &[]);
    let one = replica(&lab, &namespace, "one");
    eventually("the first replica leads", || leads(&one).then_some(()));
    assert_eq!(holder(&lab, &namespace), "one");
    let two = replica(&lab, &namespace, "two");

    let asked = Instant::now();
    one.process().signal("TERM");
    wait::until("the second replica leads", MOVES, || {
        leads(&two).then_some(())
    });
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(one.process().wait(MOVES), 0);

    one.start_again(&lab.plane);
    two.process().kill();
    let killed = Instant::now();
    eventually("the first replica leads again", || {
        leads(&one).then_some(())
    });
    // Its last renewal was up to 2 s before the end, and it lives for 15 s.
    assert!(
        killed.elapsed() > Duration::from_secs(10),
        "{:?}",
        killed.elapsed()
    );
    assert_eq!(holder(&lab, &namespace), "one");
}
