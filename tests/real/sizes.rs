//! Big objects: nobody slips past cotter by padding a Pod.

use serde_json::json;

use crate::lab::{lab, one};

/// `<` is six bytes in a review.
fn padded(image: &str, bytes: usize) -> serde_json::Value {
    let mut spec = one(image);
    let values = (0..bytes / 100_000)
        .map(|n| json!({"name": format!("V{n}"), "value": "<".repeat(100_000)}));
    spec["containers"][0]["env"] = values.collect();
    spec
}

#[test]
fn a_pod_of_1_2_mb_is_stored_pinned() {
    let lab = lab!();
    let ns = lab.enforced();
    let made = ns.create(
        &json!({"generateName": "p-"}),
        &padded(&lab.image("public/app:dev"), 1_200_000),
        "",
    );
    assert_eq!(made.status, 201, "{}", made.message());
    assert!(made.image().contains("@sha256:"));
}

#[test]
fn a_pod_of_2_5_mb_is_pinned_in_a_dry_run() {
    let lab = lab!();
    let ns = lab.enforced();
    let spec = padded(&lab.image("public/app:dev"), 2_500_000);
    let made = ns.create(&json!({"generateName": "p-"}), &spec, "?dryRun=All");
    assert_eq!(made.status, 201, "{}", made.message());
    assert!(made.image().contains("@sha256:"));
}
