//! Who may ask: by the path, and with a client CA by a certificate.

use serde_json::json;

use crate::{
    site::{eventually, site},
    support::{
        ca::{Ca, Identity},
        control_plane::{ControlPlane, MutatingWebhook},
        http_client::HttpClient,
        ports,
        process::{Process, Program},
        scratch::Scratch,
    },
};

#[test]
fn who_guesses_a_path_learns_nothing() {
    let site = site!();
    let replica = site.ready(&[]);
    let (bundle, path) = site.hook(0);
    let wrong = [
        "/mutate".to_owned(),
        "/".to_owned(),
        "/readyz".to_owned(),
        format!("/mutate/{}", "a".repeat(52)),
        path[..path.len() - 1].to_owned(),
        format!("{path}a"),
        format!("{path}/"),
        path.to_uppercase(),
    ];
    let mut answers = Vec::new();
    for path in &wrong {
        for method in ["POST", "GET", "PUT", "OPTIONS"] {
            let reply = replica.send(method, &site.host(), &bundle, path).unwrap();
            answers.push((reply.status, reply.headers.len(), reply.text()));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, 404);
    assert_eq!(
        replica.post(&site.host(), &bundle, &path).unwrap().status,
        200
    );
}

#[test]
fn no_secret_is_shown_anywhere() {
    let site = site!();
    let replica = site.ready(&["--log-level", "trace"]);
    let (bundle, path) = site.hook(0);
    let other = format!("{}x", &path[..path.len() - 1]);
    for path in [&path, &other] {
        replica.post(&site.host(), &bundle, path).unwrap();
    }
    site.delete(&site.secret_path());
    crate::site::eventually("the secret", || site.secret());
    let key = site.shared("ca.key");
    let inside = key.lines().nth(1).unwrap().to_owned();
    let secrets = [site.shared("path"), inside];
    let shown = [
        replica.process.log(),
        replica.ops("/metrics").1,
        replica.ops("/readyz?verbose").1,
    ];
    for text in &shown {
        assert!(!text.is_empty());
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
}

#[test]
fn with_a_client_ca_the_path_alone_does_not_open() {
    let site = site!();
    let (callers, others) = (Ca::new("callers"), Ca::new("others"));
    let folder = Scratch::new("callers");
    let file = folder.write("callers.pem", callers.pem());
    let replica = site.ready(&["--client-ca", file.to_str().unwrap()]);
    let (bundle, path) = site.hook(0);
    let ask = |me: Option<&Identity>| {
        let client = match me {
            Some(me) => HttpClient::with_identity(&bundle, me),
            None => HttpClient::new(&bundle),
        };
        let client = client.at(&replica.address());
        let reply = client.send("POST", &site.host(), &path, &[], b"{}");
        reply.map(|reply| reply.status).ok()
    };
    let (one, other) = (
        callers.client("api-server", &[]),
        others.client("api-server", &[]),
    );
    // 400: a caller, with no review.
    assert_eq!(
        (ask(None), ask(Some(&other)), ask(Some(&one))),
        (None, None, Some(400))
    );
    folder.write("callers.pem", "garbage");
    folder.write("callers.pem", others.pem());
    eventually("the new authority", || ask(Some(&other)));
    assert_eq!((ask(None), ask(Some(&one))), (None, None));
}

/// A cotter without a cluster that wants a certificate of its callers.
fn standalone(folder: &Scratch) -> (Process, u16) {
    let (port, ops) = (ports::free(), ports::free());
    let mut process = Program::new("cotter", env!("CARGO_BIN_EXE_cotter"))
        .args(["serve", "--standalone", "--client-ca", "callers.pem"])
        .args([
            "--listen",
            &format!("127.0.0.1:{port}"),
            "--ops",
            &format!("127.0.0.1:{ops}"),
        ])
        .start(folder.path());
    let ready = |_: &Process| {
        let page = HttpClient::plain().get(&format!("127.0.0.1:{ops}"), "/readyz");
        page.ok().filter(|page| page.status == 200).map(drop)
    };
    process.ready(std::time::Duration::from_secs(30), ready);
    (process, port)
}

#[test]
fn an_api_server_that_presents_a_certificate_is_let_in_and_another_is_not() {
    let site = site!();
    let callers = Ca::new("callers");
    let folder = Scratch::new("mtls");
    folder.write("callers.pem", callers.pem());
    let (_cotter, port) = standalone(&folder);
    let me = callers.client("api-server", &[]);
    let (cert, key) = (
        folder.write("me.pem", &me.cert),
        folder.write("me.key", &me.key),
    );
    // Both files are YAML, and JSON is.
    let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "users": [
        {"name": format!("127.0.0.1:{port}"), "user": {"client-certificate": cert, "client-key": key}}]});
    let kubeconfig = folder.write("callers.kubeconfig", kubeconfig.to_string());
    let hooks = json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration",
        "kubeConfigFile": kubeconfig});
    let config = json!({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
        "plugins": [{"name": "MutatingAdmissionWebhook", "configuration": hooks}]});
    let config = folder.write("admission.yaml", config.to_string());
    let presenting = ControlPlane::start_with(&[format!(
        "--admission-control-config-file={}",
        config.display()
    )]);
    let authority = std::fs::read_to_string(folder.path().join("certs/ca.pem")).unwrap();
    let image = format!("registry.example.org/app@sha256:{}", "a".repeat(64));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "p-"},
        "spec": {"containers": [{"name": "a", "image": image}]}});
    for (plane, lets_in) in [(&presenting, true), (site.plane, false)] {
        let name = format!("{}-mtls", site.name);
        plane.namespace(&name, &[]);
        let url = format!("https://127.0.0.1:{port}/mutate");
        plane.install_webhook(&MutatingWebhook::new(&name, &url, &authority, &[&name]));
        let create = || {
            plane.request(
                "POST",
                &format!("/api/v1/namespaces/{name}/pods"),
                Some(&pod),
            )
        };
        // A new configuration is in use within milliseconds; before, nobody is called.
        let refused = eventually("the call", || {
            let made = create();
            (lets_in || made.status != 201).then_some(made)
        });
        if lets_in {
            assert_eq!(refused.status, 201, "{}", refused.text());
        } else {
            let text = refused.text();
            assert!(text.contains("failed calling webhook"), "{text}");
        }
    }
}
