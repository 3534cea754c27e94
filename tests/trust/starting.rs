//! How replicas begin: with nothing there, many at once, and with something missing.

use crate::site::{eventually, site};

#[test]
fn a_replica_registers_itself_and_touches_nothing_else() {
    let site = site!();
    let before = site.configuration();
    let replica = site.ready(&[]);
    assert!(site.is_answered(&replica));
    let after = site.configuration();
    let (bundle, path) = site.hook(0);
    assert_eq!(site.hook(2), (bundle.clone(), path.clone()));
    assert_eq!(bundle, site.shared("ca.crt"));
    assert_eq!(path, format!("/mutate/{}", site.shared("path")));
    assert_eq!(
        after["webhooks"][1], before["webhooks"][1],
        "another's webhook"
    );
    let without = |mut hook: serde_json::Value| {
        let config = hook["clientConfig"].as_object_mut().unwrap();
        config.remove("caBundle");
        config["service"].as_object_mut().unwrap().remove("path");
        hook
    };
    for index in [0, 2] {
        assert_eq!(
            without(after["webhooks"][index].clone()),
            without(before["webhooks"][index].clone())
        );
    }
    assert_eq!(after["webhooks"].as_array().unwrap().len(), 3);
}

#[test]
fn ten_replicas_that_start_at_once_agree() {
    let site = site!();
    let mut replicas: Vec<_> = (0..10).map(|_| site.start(&[])).collect();
    for replica in &mut replicas {
        replica.wait_until_ready();
    }
    let (bundle, _) = site.hook(0);
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), 1, "{bundle}");
    for replica in &replicas {
        eventually("every replica to answer", || {
            site.is_answered(replica).then_some(())
        });
    }
}
