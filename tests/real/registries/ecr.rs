//! ECR: AWS makes the passwords. AWS is moto's server, the registry a real one that takes moto's password.

use serde_json::json;

use super::{Site, replica_in};
use crate::{
    lab::{lab, seeded},
    support::{
        moto::{self, Moto},
        ports,
        registry_part::Registry,
        require,
        token_server::Grant,
    },
};

#[test]
fn a_password_that_aws_makes_is_tested_and_brought_where_it_is_wanted() {
    require!("moto_server");
    let lab = lab!();
    let aws = Moto::start("127.0.0.1", ports::free());
    let grants = vec![Grant::new("AWS", "acme/", &["pull"])];
    let registry = seeded(Registry::with_tokens(&[moto::LOGIN], grants));
    let site = Site::start_by(&lab, |own| {
        replica_in(&lab, own, &[&registry], &[("AWS_ENDPOINT_URL", aws.url())])
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
        (Some(moto::LOGIN.0), Some(moto::LOGIN.1))
    );
}
