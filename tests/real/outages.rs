//! Registries that are down, that hang, that have had enough.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    lab::{Cotter, Lab, annotation, config_through, lab, one, pinned, seeded},
    support::{
        registry_part::Registry,
        tcp_proxy::{Mode, TcpProxy},
    },
};

/// A registry of the test's own behind a proxy, and a cotter that reaches it only so.
struct Outage {
    lab: Lab,
    registry: Registry,
    proxy: TcpProxy,
    cotter: Cotter,
}

impl Outage {
    fn new(lab: Lab, more: &str) -> Self {
        let registry = seeded(Registry::basic());
        let proxy = TcpProxy::start(registry.host());
        let cotter = Cotter::start(&lab.plane, &config_through(&registry, &proxy, more));
        Self {
            lab,
            registry,
            proxy,
            cotter,
        }
    }

    fn image(&self, rest: &str) -> String {
        format!("{}/{rest}", self.proxy.host())
    }

    fn alice(&self) -> String {
        crate::lab::docker_config(&self.proxy.host(), "alice", "rabbit-hole")
    }
}

#[test]
fn a_registry_that_is_down_leaves_the_tag_and_says_so() {
    let outage = Outage::new(lab!(), "");
    let ns = outage
        .lab
        .namespace_for(&outage.cotter, &[("cotter.dev/mode", "enforce")]);
    ns.secret("pull", &outage.alice());
    outage.proxy.set(Mode::Refuse);
    let image = outage.image("acme/app:dev");
    let made = ns.run(&image);
    assert_eq!(made.image(), image);
    made.warns("its registry is not reachable");
    assert!(
        !made.warnings.join("").contains("refused"),
        "{:?}",
        made.warnings
    );
    assert_eq!(
        annotation(&made.object, "cotter.dev/unpinned"),
        json!({"app": "unavailable"})
    );
}

/// What was resolved before serves while the registry is away.
#[test]
fn the_last_known_digest_is_used_while_a_registry_is_down() {
    let outage = Outage::new(lab!(), "resolve: {fresh: 0s, ttl: 0s}");
    let ns = outage
        .lab
        .namespace_for(&outage.cotter, &[("cotter.dev/mode", "enforce")]);
    ns.secret("pull", &outage.alice());
    let image = outage.image("acme/app:dev");
    let expected = pinned(&image, &outage.registry.digest("acme/app", "dev"));
    assert_eq!(ns.pin(&image), expected);
    outage.proxy.set(Mode::Refuse);
    outage.proxy.cut();
    let made = ns.run(&image);
    assert_eq!(made.image(), expected);
    made.warns("pinned to the last digest known");
}

/// The API server's own deadline is kept, and the other images of the Pod are pinned.
#[test]
fn a_registry_that_hangs_costs_its_own_image_only() {
    let outage = Outage::new(lab!(), "resolve: {timeout: 2s}");
    let ns = outage
        .lab
        .namespace_for(&outage.cotter, &[("cotter.dev/mode", "enforce")]);
    ns.secret("pull", &outage.alice());
    outage.proxy.set(Mode::Hang);
    let spec = json!({"containers": [
        {"name": "hangs", "image": outage.image("acme/app:dev")},
        {"name": "fixed", "image": format!("{}@sha256:{}", outage.image("acme/app"), "a".repeat(64))}]});
    let asked = Instant::now();
    let made = ns.create(&json!({"generateName": "p-"}), &spec, "");
    assert_eq!(made.status, 201, "{}", made.object);
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
    made.warns("its registry is not reachable");
}

#[test]
fn a_registry_that_has_had_enough_is_left_alone() {
    let lab = lab!();
    let ns = lab.enforced();
    ns.secret("pull", &lab.alice());
    lab.tokens.tokens().refuse(429, &[("retry-after", "1")]);
    let image = lab.image("acme/limited:dev");
    let asked = lab.tokens.tokens().requests().len();
    let warned = (0..5).map(|_| ns.run(&image)).collect::<Vec<_>>();
    lab.tokens.tokens().grant_again();
    for made in &warned {
        assert_eq!(made.image(), image);
        made.warns("its registry is not reachable");
    }
    assert_eq!(
        lab.tokens.tokens().requests().len(),
        asked + 1,
        "a 429 is remembered"
    );
    std::thread::sleep(Duration::from_millis(1_100));
    assert!(
        ns.run(&lab.image("acme/app:dev"))
            .image()
            .contains("@sha256:")
    );
}

/// Strict refuses what it cannot prove, and says nothing of the address.
#[test]
fn strict_denies_while_a_registry_is_down() {
    let outage = Outage::new(lab!(), "");
    let labels = [
        ("cotter.dev/mode", "enforce"),
        ("cotter.dev/policy", "strict"),
    ];
    let ns = outage.lab.namespace_for(&outage.cotter, &labels);
    outage.proxy.set(Mode::Refuse);
    let made = ns.create(
        &json!({"generateName": "p-"}),
        &one(&outage.image("acme/app:dev")),
        "",
    );
    assert_eq!(made.status, 403);
    assert!(
        made.message().contains("its registry is not reachable"),
        "{}",
        made.message()
    );
}
