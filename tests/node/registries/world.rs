//! The world's registries and AWS, and a cotter that knows the way to them.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::cotter::{installed, rolled_out};
use crate::lab;
use crate::support::moto::Moto;
use crate::support::node::vendors::{self, Vendors};
use crate::support::node::{ADDRESS, Lab, install::NAMESPACE};
use crate::support::parts;

const AWS_PORT: u16 = 5001;

/// The vendors, known to the node and to cotter.
pub(super) fn world() -> &'static Vendors {
    static WORLD: LazyLock<(Vendors, Option<Moto>)> = LazyLock::new(|| start(lab::shared()));
    &WORLD.0
}

fn start(lab: &Lab) -> (Vendors, Option<Moto>) {
    installed(lab);
    let vendors = Vendors::start(lab);
    let aws = parts::find("moto_server").map(|_| Moto::start(&ADDRESS.to_string(), AWS_PORT));
    lab.upgrade_cotter(&values(lab));
    roll_out(lab, aws.as_ref());
    (vendors, aws)
}

/// The settings. cotter reads them anew without a rollout.
fn values(lab: &Lab) -> Value {
    let mut values = lab.values("dev");
    let registries = values["config"]["registries"].as_array_mut().unwrap();
    let ca = registries[0]["caFile"].clone();
    let names = vendors::names().into_iter();
    registries.extend(names.map(|host| json!({"host": host, "caFile": ca, "allowPrivate": true})));
    values
}

/// What is not in the chart: the cluster has no DNS, and no AWS. The log tells all that it can.
fn roll_out(lab: &Lab, aws: Option<&Moto>) {
    let names = vendors::host_names();
    let variable = |name: &str, value: &str| json!({"name": name, "value": value});
    let aws = aws.map(|aws| variable("AWS_ENDPOINT_URL_ECR", aws.url()));
    let level = variable("COTTER_LOG_LEVEL", "trace");
    let env: Vec<Value> = aws.into_iter().chain([level]).collect();
    let pod = json!({"hostAliases": [{"ip": ADDRESS, "hostnames": names}], "containers": [{"name": "cotter", "env": env}]});
    let patch = json!({"spec": {"template": {"spec": pod}}}).to_string();
    let patch = [
        "-n",
        NAMESPACE,
        "patch",
        "deployment",
        "cotter",
        "-p",
        &patch,
    ];
    lab.plane.kubectl(&patch).ok();
    rolled_out(lab, NAMESPACE, "cotter");
}
