//! `cotter serve --standalone` as a process: what a person at a prompt sees.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

#[path = "standalone/proxies.rs"]
mod proxies;
mod support;

use std::{path::Path, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rstest::rstest;
use serde_json::{Value, json};
use support::{
    command::{self, Outcome},
    http_client::{HttpClient, Reply},
    ports,
    process::{Process, Program},
    scratch::Scratch,
    wait,
};

const START: Duration = Duration::from_secs(20);
const FOLLOW: Duration = Duration::from_secs(20);

struct Cotter {
    process: Process,
    scratch: Scratch,
    host: String,
    ops: String,
}

impl Cotter {
    fn start(config: &str, flags: &[&str]) -> Self {
        Self::start_in(Scratch::new("standalone"), config, flags)
    }

    fn start_in(scratch: Scratch, config: &str, flags: &[&str]) -> Self {
        Self::start_with(scratch, config, flags, &[])
    }

    fn start_with(scratch: Scratch, config: &str, flags: &[&str], env: &[(&str, &str)]) -> Self {
        scratch.write("cotter.yaml", config);
        let (host, ops) = (address(), address());
        let program = Program::new("cotter", env!("CARGO_BIN_EXE_cotter"));
        let program = env
            .iter()
            .fold(program, |program, (name, value)| program.env(name, value));
        let mut process = program
            .args([
                "serve",
                "--listen",
                &host,
                "--ops",
                &ops,
                "--config",
                "cotter.yaml",
            ])
            .args(flags)
            // The environment form of a flag.
            .env("COTTER_STANDALONE", "true")
            .start(scratch.path());
        let ready = |_: &Process| {
            let reply = HttpClient::plain().get(&ops, "/readyz").ok()?;
            (reply.status == 200).then_some(())
        };
        process.ready(START, ready);
        Self {
            process,
            scratch,
            host,
            ops,
        }
    }

    fn client(&self) -> HttpClient {
        let ca = std::fs::read_to_string(self.scratch.path().join("certs/ca.pem")).unwrap();
        HttpClient::new(&ca)
    }

    fn post(&self, path: &str, body: &str) -> Reply {
        let headers = [("Content-Type", "application/json")];
        self.client()
            .send("POST", &self.host, path, &headers, body.as_bytes())
            .unwrap()
    }

    /// The response to the review of a Pod with this image.
    fn review(&self, image: &str) -> Value {
        let reply = self.post("/mutate?timeout=3s", &review(image).to_string());
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["response"].clone()
    }

    fn metrics(&self) -> String {
        HttpClient::plain()
            .get(&self.ops, "/metrics")
            .unwrap()
            .text()
    }
}

fn address() -> String {
    format!("127.0.0.1:{}", ports::free())
}

fn review(image: &str) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "operation": "CREATE", "namespace": "shop",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "object": {"metadata": {"namespace": "shop"}, "spec": {"containers": [{"name": "app", "image": image}]}}}})
}

fn patch(response: &Value) -> Value {
    let patch = response["patch"]
        .as_str()
        .map_or_else(Vec::new, |patch| BASE64_STANDARD.decode(patch).unwrap());
    serde_json::from_slice(&patch).unwrap_or(Value::Null)
}

fn run(scratch: &Scratch, args: &[&str]) -> Outcome {
    command::run(
        Path::new(env!("CARGO_BIN_EXE_cotter")),
        args,
        &[],
        scratch.path(),
        b"",
    )
}

#[test]
fn an_image_is_canonicalised_and_what_cannot_be_reached_is_said() {
    let nobody = address();
    let config = format!("registries: [{{host: '{nobody}', allowPrivate: true}}]");
    let cotter = Cotter::start(&config, &[]);
    let response = cotter.review(&format!("{nobody}/ByteQuester/App:dev"));
    assert_eq!(response["allowed"], true);
    assert_eq!(
        patch(&response)[0]["value"],
        format!("{nobody}/bytequester/app:dev")
    );
    let warning = response["warnings"][0].as_str().unwrap();
    assert!(
        warning.contains("its registry is not reachable"),
        "{warning}"
    );
}

/// Whoever creates a Pod chooses the host: an address of the cluster's own is not dialled unless it is listed.
#[rstest]
#[case::loopback("127.0.0.1:1/x:dev")]
#[case::metadata("169.254.169.254/x:dev")]
#[case::shorthand("127.1/x:dev")]
#[case::octal("0251.0376.0251.0376/x:dev")]
#[case::hexadecimal("0xa9.0xfe.0xa9.0xfe/x:dev")]
#[case::mapped("[::ffff:a9fe:a9fe]/x:dev")]
#[case::cluster_name("kubernetes.default.svc/x:dev")]
#[case::metadata_name("metadata.google.internal/x:dev")]
fn addresses_that_are_refused(#[case] image: &str) {
    let cotter = Cotter::start("", &[]);
    let warning = cotter.review(image)["warnings"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(warning.contains("refused here"), "{warning}");
}

#[test]
fn audit_changes_nothing() {
    let cotter = Cotter::start("resolve: {offline: true}", &["--mode", "audit"]);
    let response = cotter.review("ghcr.io/ByteQuester/App:dev");
    assert_eq!(response["patch"], Value::Null);
    assert!(
        response["warnings"][0]
            .as_str()
            .unwrap()
            .contains("would become ghcr.io/bytequester/app:dev")
    );
}

#[rstest]
#[case::not_json("nonsense", 400)]
#[case::empty("", 400)]
#[case::truncated(r#"{"apiVersion": "admission.k8s.io/v1", "kind": "Admiss"#, 400)]
#[case::no_uid(
    r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {}}"#,
    400
)]
#[case::no_request(
    r#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}"#,
    400
)]
#[case::older_version(r#"{"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview", "request": {"uid": "x"}}"#, 400)]
#[case::wrong_kind(r#"{"apiVersion": "v1", "kind": "Pod"}"#, 400)]
fn bad_bodies_get_one_clear_line_and_the_next_request_is_served(
    #[case] body: &str,
    #[case] status: u16,
) {
    let cotter = Cotter::start("resolve: {offline: true}", &[]);
    let reply = cotter.post("/mutate", body);
    assert_eq!(reply.status, status);
    assert_eq!(
        reply.text().trim_end().lines().count(),
        1,
        "{}",
        reply.text()
    );
    assert_eq!(reply.header("retry-after"), None);
    assert_eq!(cotter.review("nginx")["allowed"], true);
}

#[test]
fn other_paths_and_methods() {
    let cotter = Cotter::start("", &[]);
    assert_eq!(cotter.post("/other", "{}").status, 404);
    assert_eq!(
        cotter.client().get(&cotter.host, "/mutate").unwrap().status,
        405
    );
}

#[test]
fn the_configuration_is_followed_and_a_bad_one_is_not() {
    let cotter = Cotter::start("resolve: {offline: true}", &[]);
    let denies = || cotter.review("Not An Image")["allowed"] == false;
    assert!(!denies());
    cotter.scratch.write(
        "cotter.yaml",
        "{defaultPolicy: strict, resolve: {offline: true}}",
    );
    wait::until("the new policy", FOLLOW, || denies().then_some(()));
    cotter.scratch.write("cotter.yaml", "policys: {}");
    let refused = r#"cotter_config_reloads_total{ok="no"} 1"#;
    wait::until("the refusal", FOLLOW, || {
        cotter.metrics().contains(refused).then_some(())
    });
    assert!(denies());
    assert!(
        cotter.process.log().contains("cotter.yaml:1:1"),
        "{}",
        cotter.process.log()
    );
}

#[test]
fn hosts_whose_credential_the_nodes_hold_come_and_go_with_the_configuration() {
    let nobody = address();
    let env = [("GCE_METADATA_HOST", nobody.as_str())];
    let cotter = Cotter::start_with(Scratch::new("own-logins"), "", &[], &env);
    let held = "registries: [{host: europe-docker.pkg.dev, credentials: node}]";
    let offline = format!("{held}\nresolve: {{offline: true}}");
    let follows = |config: &str, has_one: bool| {
        cotter.scratch.write("cotter.yaml", config);
        wait::until(config, FOLLOW, || {
            let shown = cotter.metrics().contains("host=\"europe-docker.pkg.dev\"");
            (shown == has_one).then_some(())
        });
    };
    follows(held, true);
    let log = cotter.process.log();
    let said = format!("its metadata server {nobody} cannot be asked");
    assert!(log.contains(&said), "{log}");
    follows(&offline, false);
    follows(held, true);
    follows("{}", false);
}

#[test]
fn pull_secrets_are_followed() {
    let scratch = Scratch::new("secrets");
    let secrets = scratch.path().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    let flag = secrets.display().to_string();
    let cotter = Cotter::start("resolve: {offline: true}", &["--pull-secrets", &flag]);
    let injected = || {
        patch(&cotter.review("ghcr.io/a/b:dev"))
            .to_string()
            .contains("imagePullSecrets")
    };
    assert!(!injected());
    let manifest = "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/dockerconfigjson\n\
        metadata: {name: ghcr, namespace: shop}\nstringData:\n  .dockerconfigjson: '{\"auths\": {\"ghcr.io\": {}}}'\n";
    std::fs::write(secrets.join("ghcr.yaml"), manifest).unwrap();
    wait::until("the new secret", FOLLOW, || injected().then_some(()));
}

#[rstest]
#[case::unknown_key(
    "policies:\n  a:\n    pin: {styl: digest}\n",
    "cotter.yaml:3:11",
    "accepted"
)]
#[case::bad_value(
    "defaultPolicy: strict\npolicies: {strict: {pin: {style: sha}}}\n",
    "cotter.yaml:2",
    "git-sha"
)]
#[case::bad_duration("resolve: {fresh: 2}\n", "cotter.yaml:1", "unit")]
#[case::no_yaml("a: [", "cotter.yaml:1", "")]
fn a_configuration_that_cannot_be_used_stops_the_start(
    #[case] yaml: &str,
    #[case] place: &str,
    #[case] remedy: &str,
) {
    let scratch = Scratch::new("bad");
    scratch.write("cotter.yaml", yaml);
    let outcome = run(
        &scratch,
        &["serve", "--standalone", "--config", "cotter.yaml"],
    );
    assert_eq!(outcome.code, 2);
    assert!(
        outcome.stderr.contains(place) && outcome.stderr.contains(remedy),
        "{}",
        outcome.stderr
    );
}

#[rstest]
#[case::cert_without_key(&["--standalone", "--cert", "a.pem"], "--key")]
#[case::secrets_with_a_cluster(&["--pull-secrets", "x"], "--standalone")]
#[case::everywhere_without_client_ca(&["--standalone", "--listen", "0.0.0.0:0"], "--client-ca")]
#[case::unknown_flag(&["--nonsense"], "--nonsense")]
fn flags_that_do_not_fit_together(#[case] flags: &[&str], #[case] named: &str) {
    let scratch = Scratch::new("flags");
    let outcome = run(&scratch, &[&["serve"], flags].concat());
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains(named), "{}", outcome.stderr);
}

/// Keys are for their owner only, and a second start uses what the first one made.
#[cfg(unix)]
#[test]
fn certificates_are_made_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut first = Cotter::start("", &[]);
    let file = |name: &str| first.scratch.path().join("certs").join(name);
    for key in ["ca.key", "tls.key"] {
        assert_eq!(
            std::fs::metadata(file(key)).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let made = std::fs::read(file("tls.pem")).unwrap();
    assert_eq!(first.process.stop(), Some(0), "{}", first.process.log());
    let second = Cotter::start_in(first.scratch, "", &[]);
    assert_eq!(
        std::fs::read(second.scratch.path().join("certs/tls.pem")).unwrap(),
        made
    );
}

/// A Pod has seconds to go: who dawdles on the ops port is not waited for.
#[test]
fn a_reader_of_the_ops_port_that_never_finishes_holds_nothing_up() {
    use std::io::Write as _;
    let mut cotter = Cotter::start("", &[]);
    let mut slow = std::net::TcpStream::connect(&cotter.ops).unwrap();
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost:").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    cotter.process.signal("TERM");
    let code = cotter.process.wait(Duration::from_secs(5));
    assert_eq!(code, 0, "{}", cotter.process.log());
}
