//! ECR: AWS makes the passwords. AWS is moto's server, the registry a real one that takes moto's password.

use std::time::Duration;

use serde_json::json;

use super::{Site, replica_in};
use crate::{
    lab::{lab, seeded},
    support::{
        http_client::HttpClient,
        parts, ports,
        process::{Process, Program},
        registry_part::Registry,
        require,
        scratch::Scratch,
        token_server::Grant,
    },
};

/// moto's account, and the password that it makes for it.
const AWS: (&str, &str) = ("AWS", "123456789012-auth-token");

const START: Duration = Duration::from_mins(1);

/// moto's server, and where it is.
fn moto(scratch: &Scratch) -> (Process, String) {
    let port = ports::free();
    let host = format!("127.0.0.1:{port}");
    let program = Program::new("moto", parts::program("moto_server"));
    let mut process = program
        .args(["-H", "127.0.0.1", "-p", &port.to_string()])
        .start(scratch.path());
    process.ready(START, |_| {
        HttpClient::plain().get(&host, "/moto-api/").ok().map(drop)
    });
    (process, format!("http://{host}"))
}

#[test]
fn a_password_that_aws_makes_is_tested_and_brought_where_it_is_wanted() {
    require!("moto_server");
    let lab = lab!();
    let scratch = Scratch::new("moto");
    let (_moto, url) = moto(&scratch);
    let grants = vec![Grant::new("AWS", "acme/", &["pull"])];
    let registry = seeded(Registry::with_tokens(&[AWS], grants));
    let site = Site::start_by(&lab, |own| {
        replica_in(&lab, own, &[&registry], &[("AWS_ENDPOINT_URL", &url)])
    });
    let shop = site.namespace("shop");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": site.name, "namespace": site.own,
            "annotations": {"cotter.dev/registry": site.name, "cotter.dev/host": registry.host()}},
        "stringData": {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}});
    lab.plane.apply(&secret.to_string(), &[]).ok();
    let mut object = site.registry(&[&shop]);
    object["spec"]["type"] = json!("ECR");
    object["spec"]["region"] = json!("eu-central-1");
    object["spec"]["host"] = json!(registry.host());
    site.apply(&object);
    site.becomes("Ready", "True", "Ready");
    let entry = site.entry(&shop, registry.host()).unwrap();
    assert_eq!(
        (entry["username"].as_str(), entry["password"].as_str()),
        (Some(AWS.0), Some(AWS.1))
    );
}
