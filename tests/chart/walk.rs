//! Every outcome of every policy against the validating policy, with the real cotter in front of it: what cotter admits is
//! never denied by it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    line::DIGEST,
    release::{Release, bench},
    replica::Replica,
    support::{
        http_client::Reply,
        image::Image,
        ports,
        registry_part::{ALICE, Registry},
        require, wait,
    },
};

const STRATEGIC: &str = "application/strategic-merge-patch+json";
const FOLLOW: Duration = Duration::from_secs(30);

/// An image, and what `standard` makes of it: a pin, nothing, or a cause.
struct Row {
    what: &'static str,
    image: String,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Pinned,
    Left,
    Unpinned(&'static str),
}

/// Two registries, the second of which cotter does not know, and a third that does not answer.
struct Registries {
    known: Registry,
    unknown: Registry,
    silent: u16,
}

impl Registries {
    fn start() -> Self {
        let known = Registry::token();
        known.push(
            "public/app",
            &Image::new("public").build(),
            &["dev", "v1", "c6cd88e"],
        );
        known.push("acme/app", &Image::new("app").build(), &["dev"]);
        Self {
            known,
            unknown: Registry::token(),
            silent: ports::free(),
        }
    }

    fn rows(&self) -> Vec<Row> {
        use Outcome::{Left, Pinned, Unpinned};
        let silent = format!("127.0.0.1:{}", self.silent);
        let row = |what, image: String, outcome| Row {
            what,
            image,
            outcome,
        };
        vec![
            row("a tag", self.known.image("public/app:dev"), Pinned),
            row("upper case", self.known.image("Public/App:dev"), Pinned),
            row(
                "a private tag with its secret",
                self.known.image("acme/app:dev"),
                Pinned,
            ),
            row(
                "a digest",
                format!("{}@{DIGEST}", self.known.image("public/app:dev")),
                Left,
            ),
            row("a git SHA", self.known.image("public/app:c6cd88e"), Left),
            row(
                "an image that is skipped",
                "registry.k8s.io/pause:3.9".to_owned(),
                Left,
            ),
            row(
                "no such tag",
                self.known.image("public/app:nosuch"),
                Unpinned("notFound"),
            ),
            row(
                "a private tag without a secret",
                self.known.image("beta/app:dev"),
                Unpinned("unauthorized"),
            ),
            row(
                "a registry that does not answer",
                format!("{silent}/app:dev"),
                Unpinned("unavailable"),
            ),
            row(
                "a registry that nobody allowed",
                self.unknown.image("app:dev"),
                Unpinned("refused"),
            ),
            row(
                "no reference",
                "ghcr.io/acme//app:dev".to_owned(),
                Unpinned("invalid"),
            ),
        ]
    }

    fn config(&self) -> Value {
        let host = |host: &str| json!({"host": host, "caFile": self.known.ca_file(), "allowPrivate": true});
        let auth = self.known.auth_host().unwrap();
        let mut known = host(self.known.host());
        known["authHosts"] = json!([auth]);
        let silent = json!({"host": format!("127.0.0.1:{}", self.silent), "plainHttp": true, "allowPrivate": true});
        let deny = |causes: &[&str]| -> Value {
            causes
                .iter()
                .map(|cause| ((*cause).to_owned(), json!("deny")))
                .collect()
        };
        let all = [
            "invalid",
            "notFound",
            "unauthorized",
            "unavailable",
            "refused",
        ];
        json!({"registries": [known, host(&auth), silent], "policies": {
            "standard": {},
            "hard": {"onFailure": deny(&all), "allowSkip": false},
            "hardest": {"onFailure": deny(&all), "allowSkip": false, "pin": {"pinImmutable": true, "style": "git-sha", "skip": []}},
            "half": {"onFailure": deny(&["notFound", "refused"])},
            "only-invalid": {"onFailure": deny(&["invalid"]), "pin": {"keepTag": false}},
            "tags": {"pin": {"immutableTags": ["dev", "nosuch"]}},
            "skips": {"pin": {"skip": ["**"]}, "onFailure": deny(&all)},
            "leave": {"canonicalise": {"shortNames": "leave"}, "onFailure": deny(&all)},
            "hosts": {"canonicalise": {"shortNames": "deny", "qualify": true}},
        }})
    }
}

/// A namespace of a policy, with alice's secret.
struct Walker<'b> {
    release: &'b Release<'b>,
    namespace: String,
}

impl<'b> Walker<'b> {
    /// An enforced namespace of this policy, with alice's secret and a pinned Pod called `base`.
    fn of(release: &'b Release<'b>, policy: &str, registries: &Registries) -> Self {
        let (namespace, known) = (format!("walk-{policy}"), &registries.known);
        let labels = [
            ("cotter.dev/mode", "enforce"),
            ("cotter.dev/policy", policy),
        ];
        release.bench.namespace(&namespace, &labels);
        let secret = known.docker_config(ALICE.0, ALICE.1);
        let secret = secret.replace(known.host(), &known.image("acme/"));
        release
            .bench
            .plane
            .pull_secret(&namespace, "alice", &secret);
        let walker = Self { release, namespace };
        let mut base = pod(&format!("ghcr.io/acme/base@{DIGEST}"), "IfNotPresent");
        base["metadata"]["name"] = "base".into();
        wait::until("cotter to be called", FOLLOW, || {
            (walker.create(&base, "").status == 201).then_some(())
        });
        walker
    }

    /// Creates, updates and debugs with the image of a row; says what went through.
    fn walk(&self, row: &Row, standard: bool) -> Vec<bool> {
        let Row {
            what,
            image,
            outcome,
        } = row;
        let mut passed = Vec::new();
        let mut note = |step: &str, reply: &Reply| {
            passed.push(self.admitted(&format!("{what}, {step}"), reply));
        };
        for (shape, pod) in shapes(image) {
            let reply = self.create(&pod, "?dryRun=All");
            note(shape, &reply);
            if standard && shape == "container" {
                assert_eq!(found(&reply.json()), *outcome, "{what}: {}", reply.text());
            }
        }
        let update = json!({"spec": {"containers": [{"name": "app", "image": image}]}});
        note("update", &self.patch("base", &update));
        let debug = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": image}]}});
        note("debug", &self.patch("base/ephemeralcontainers", &debug));
        passed
    }

    fn create(&self, pod: &Value, query: &str) -> Reply {
        let path = format!("/api/v1/namespaces/{}/pods{query}", self.namespace);
        self.release.bench.plane.request("POST", &path, Some(pod))
    }

    fn patch(&self, path: &str, patch: &Value) -> Reply {
        let path = format!(
            "/api/v1/namespaces/{}/pods/{path}?dryRun=All",
            self.namespace
        );
        self.release
            .bench
            .plane
            .send("PATCH", &path, STRATEGIC, patch.to_string().as_bytes())
    }

    /// Panics if the validating policy has spoken; says whether the request went through.
    fn admitted(&self, what: &str, reply: &Reply) -> bool {
        let said = reply.text();
        assert!(
            !said.contains("ValidatingAdmissionPolicy"),
            "{} {what}: {said}",
            self.namespace
        );
        let cotters = said.contains("admission webhook \\\"pods.cotter.dev\\\" denied");
        let admitted = reply.status < 300;
        assert!(admitted || cotters, "{} {what}: {said}", self.namespace);
        admitted
    }
}

fn pod(image: &str, pull_policy: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "app", "image": image, "imagePullPolicy": pull_policy}]}})
}

/// The shapes that a Pod with this image may have.
fn shapes(image: &str) -> Vec<(&'static str, Value)> {
    let fixed = format!("ghcr.io/acme/fixed@{DIGEST}");
    let plain = pod(image, "IfNotPresent");
    let mut init = pod(&fixed, "IfNotPresent");
    init["spec"]["initContainers"] = json!([{"name": "init", "image": image}]);
    let mut volume = pod(&fixed, "IfNotPresent");
    volume["spec"]["volumes"] = json!([{"name": "data", "image": {"reference": image}}]);
    let mut skip = plain.clone();
    skip["metadata"]["annotations"] = json!({"cotter.dev/skip": "true"});
    let mut full = plain.clone();
    full["metadata"]["annotations"] = json!({"a": "x".repeat(262_100)});
    let never = pod(image, "Never");
    vec![
        ("container", plain),
        ("init", init),
        ("volume", volume),
        ("skip", skip),
        ("full", full),
        ("never", never),
    ]
}

#[test]
fn nothing_that_a_policy_admits_is_denied() {
    let bench = bench!();
    require!("registry");
    let registries = Registries::start();
    let config = registries.config();
    let values = json!({"config": config, "failurePolicy": "Fail", "validatingPolicy": {"enabled": true, "actions": ["Deny"]}});
    let release = bench.install(&values);
    let _replica = Replica::serving(&release);
    let (mut admitted, mut denied) = (0, 0);
    for policy in config["policies"].as_object().unwrap().keys() {
        let walker = Walker::of(&release, policy, &registries);
        for row in registries.rows() {
            for passed in walker.walk(&row, policy == "standard") {
                *(if passed { &mut admitted } else { &mut denied }) += 1;
            }
        }
    }
    let enough = admitted > 200 && denied > 50;
    assert!(enough, "{admitted} admitted, {denied} denied");
}

/// What became of the first container.
fn found(pod: &Value) -> Outcome {
    let annotations = &pod["metadata"]["annotations"];
    let unpinned = annotations["cotter.dev/unpinned"]
        .as_str()
        .unwrap_or_default();
    let causes = [
        "invalid",
        "notFound",
        "unauthorized",
        "unavailable",
        "refused",
    ];
    if let Some(cause) = causes.into_iter().find(|cause| unpinned.contains(cause)) {
        Outcome::Unpinned(cause)
    } else if annotations["cotter.dev/images"].is_string() {
        Outcome::Pinned
    } else {
        Outcome::Left
    }
}
