//! One revision, one digest: Pods that controllers make while a tag moves.

use crate::{
    lab::{Cotter, Namespace, config, lab},
    workload::{Moving, images},
};

fn scale(ns: &Namespace<'_>, what: &str, replicas: usize) {
    ns.kubectl(&["scale", what, &format!("--replicas={replicas}")], "")
        .ok();
}

/// Every Pod runs this image.
fn all_run(ns: &Namespace<'_>, number: usize, image: &str) {
    assert_eq!(images(ns, number), vec![image; number]);
}

#[test]
fn a_deployment_that_is_scaled_up_after_a_push() {
    let lab = lab!();
    let ns = lab.enforced();
    let moving = Moving::new(&lab);
    let old = moving.push("old");
    moving.workload(&ns, "Deployment");
    all_run(&ns, 1, &old);
    let new = moving.push("new");
    scale(&ns, "deployment/web", 3);
    all_run(&ns, 3, &old);
    ns.kubectl(&["rollout", "restart", "deployment/web"], "")
        .ok();
    crate::lab::eventually("a Pod of the new rollout", || {
        let images = images(&ns, 4);
        (images.iter().filter(|image| **image == new).count() == 1).then_some(())
    });
}

/// What one replica answered, another one learns from the Pod.
#[test]
fn two_replicas_agree_as_soon_as_the_watch_tells() {
    let lab = lab!();
    let other = Cotter::start(&lab.plane, &config(&[lab.tokens], ""));
    let ns = lab.enforced();
    let moving = Moving::new(&lab);
    let old = moving.push("old");
    moving.workload(&ns, "ReplicaSet");
    all_run(&ns, 1, &old);
    let new = moving.push("new");
    assert_ne!(old, new);
    lab.plane
        .install_webhook(&other.webhook(&ns.name, &[&ns.name]));
    ns.wait_until_called();
    scale(&ns, "rs/web", 3);
    all_run(&ns, 3, &old);
}

#[test]
fn a_digest_that_was_deleted_is_resolved_anew() {
    let lab = lab!();
    let ns = lab.enforced();
    let moving = Moving::new(&lab);
    let old = moving.push("old");
    moving.workload(&ns, "ReplicaSet");
    all_run(&ns, 1, &old);
    let new = moving.push("new");
    moving.delete(&old);
    // Another process: this one knows for ten minutes that the digest is there.
    let other = Cotter::start(&lab.plane, &config(&[lab.tokens], ""));
    lab.plane
        .install_webhook(&other.webhook(&ns.name, &[&ns.name]));
    ns.wait_until_called();
    scale(&ns, "rs/web", 2);
    let mut images = images(&ns, 2);
    images.sort_by_key(|image| *image == new);
    assert_eq!(images, [old, new]);
    assert!(other.metric("cotter_sibling_digests_gone_total") > 0.0);
}
