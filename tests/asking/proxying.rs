//! Commands behind a proxy.

use rstest::rstest;
use serde_json::json;

use crate::{
    connect_proxy::{ConnectProxy, Manners},
    desk::{Desk, docker_config},
    oci_registry::Image,
};

/// `squid` and `looking-glass`.
const SQUID: &str = "Basic c3F1aWQ6bG9va2luZy1nbGFzcw==";

struct Behind {
    desk: Desk,
    proxy: ConnectProxy,
    image: String,
    url: String,
}

impl Behind {
    /// A registry that only the proxy can find, and a proxy that wants a password.
    async fn start() -> Self {
        let desk = Desk::new().await;
        desk.registry.push("public/app", "dev", &Image::new("1"));
        let own = desk.registry.host();
        let (_, port) = own.rsplit_once(':').unwrap();
        let host = format!("registry.example:{port}");
        let entry = json!({"host": host, "caFile": "ca.pem", "authHosts": [own]});
        let realm = json!({"host": own, "caFile": "ca.pem", "allowPrivate": true});
        let config = json!({"registries": [entry, realm]});
        desk.scratch.write("behind.yaml", config.to_string());
        let proxy = ConnectProxy::start(Manners {
            wants: Some(SQUID),
            ..Manners::default()
        })
        .await;
        let port = proxy.port();
        Self {
            image: format!("{host}/public/app:dev"),
            url: format!("http://squid:looking-glass@127.0.0.1:{port}"),
            desk,
            proxy,
        }
    }
}

#[rstest]
#[case::resolve(&["resolve"])]
#[case::tags(&["tags"])]
#[case::test(&["registry", "test"])]
#[tokio::test(flavor = "multi_thread")]
async fn registries_are_asked_through_the_proxy(#[case] command: &[&str]) {
    let behind = Behind::start().await;
    let image = behind.image.as_str();
    let args = [command, &[image, "--config", "behind.yaml"]].concat();
    let found = behind.desk.run(&args, &[("HTTPS_PROXY", &behind.url)]);
    assert_eq!(found.code, 0, "{} {}", found.stdout, found.stderr);
    let (host, _) = image.split_once('/').unwrap();
    let asked = behind.proxy.take_asked();
    assert!(!asked.is_empty() && asked.iter().all(|asked| asked.target == host));
}

#[rstest]
#[case::upper_case("NO_PROXY", "255.0.0.0/8", false)]
#[case::lower_case("no_proxy", "*", false)]
#[case::others("NO_PROXY", "254.0.0.0/8", true)]
#[tokio::test(flavor = "multi_thread")]
async fn exceptions_are_asked_directly(
    #[case] variable: &str,
    #[case] except: &str,
    #[case] is_asked: bool,
) {
    let behind = Behind::start().await;
    // The kernel refuses a connection to the broadcast address; no packet leaves.
    let args = ["resolve", "255.255.255.255:5000/public/app:dev"];
    let env = [("HTTPS_PROXY", behind.url.as_str()), (variable, except)];
    let found = behind.desk.run(&args, &env);
    assert_eq!(found.code, 1, "{} {}", found.stdout, found.stderr);
    assert_eq!(!behind.proxy.take_asked().is_empty(), is_asked);
}

#[rstest]
#[case::resolve(&["resolve"])]
#[case::tags(&["tags"])]
#[case::test(&["registry", "test"])]
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_be_used_is_said(#[case] command: &[&str]) {
    let behind = Behind::start().await;
    let args = [command, &[behind.image.as_str(), "--config", "behind.yaml"]].concat();
    let url = behind.url.replace("http://", "socks5://");
    let found = behind.desk.run(&args, &[("https_proxy", &url)]);
    assert_eq!(found.code, 2, "{} {}", found.stdout, found.stderr);
    assert!(found.stderr.contains("https_proxy: "), "{}", found.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_tested_through_the_proxy() {
    let behind = Behind::start().await;
    let (host, _) = behind.image.split_once('/').unwrap();
    let docker = docker_config(&[(host, "alice", "wonderland")]);
    behind.desk.scratch.write("docker.json", docker);
    let args = [
        "pull-secret",
        "--from-docker-config=docker.json",
        "--config=behind.yaml",
        "--test",
        &behind.image,
    ];
    let found = behind.desk.run(&args, &[("HTTPS_PROXY", &behind.url)]);
    assert_eq!(found.code, 0, "{}", found.stderr);
    assert!(!behind.proxy.take_asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_server_is_asked_directly() {
    const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true } }]
users: [{ name: u, user: { token: t } }]
contexts: [{ name: here, context: { cluster: c, user: u } }]
current-context: here
";
    let behind = Behind::start().await;
    behind.desk.scratch.write("kubeconfig", KUBECONFIG);
    for command in ["resolve", "tags"] {
        let image = behind.image.as_str();
        let args = [command, "-n", "shop", "--kubeconfig", "kubeconfig", image];
        let found = behind.desk.run(&args, &[("HTTPS_PROXY", &behind.url)]);
        assert_eq!(found.code, 2, "{} {}", found.stdout, found.stderr);
        assert!(!found.stderr.contains("proxy"), "{}", found.stderr);
        assert!(behind.proxy.take_asked().is_empty());
    }
}
