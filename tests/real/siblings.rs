//! One revision, one digest: Pods that controllers make while a tag moves.

use crate::{
    lab::{Namespace, lab},
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
