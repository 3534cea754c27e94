//! Pods that keep being created while something else happens.

use std::time::{Duration, Instant};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use crate::cotter::is_pinned;
use crate::support::node::Lab;

/// One create.
pub struct Created {
    pub began: Instant,
    pub ended: Instant,
    /// Why it counts as lost: refused, or stored without a digest.
    pub lost: Option<String>,
}

/// Creates Pods at this rate a second, whether or not earlier ones are answered, as long as `go_on` says so of their number.
/// They take the images in turn, and no scheduler looks at them.
pub fn create(
    lab: &Lab,
    namespace: &str,
    rate: u32,
    images: &[String],
    go_on: impl Fn(usize) -> bool,
) -> Vec<Created> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = client(lab).await;
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let mut pace = tokio::time::interval(Duration::from_secs(1) / rate);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut creates = JoinSet::new();
        for (number, image) in images.iter().cycle().enumerate() {
            if !go_on(number) {
                break;
            }
            pace.tick().await;
            creates.spawn(one(client.clone(), path.clone(), pod(image)));
        }
        creates.join_all().await
    })
}

/// Takes away what was created.
pub fn forget(lab: &Lab, namespace: &str) {
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let all = lab.plane.request("DELETE", &path, None);
    assert_eq!(all.status, 200, "{}", all.text());
}

async fn one(client: Client, path: String, body: Vec<u8>) -> Created {
    let request = http::Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body)
        .unwrap();
    let began = Instant::now();
    let made: Result<Value, kube::Error> = client.request(request).await;
    let ended = Instant::now();
    let lost = match made {
        Ok(pod) if is_pinned(&pod) => None,
        Ok(pod) => Some(pod["spec"]["containers"][0]["image"].to_string()),
        Err(error) => Some(error.to_string()),
    };
    Created { began, ended, lost }
}

fn pod(image: &str) -> Vec<u8> {
    let spec = json!({"schedulerName": "nobody", "containers": [{"name": "main", "image": image}]});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "load-"}, "spec": spec})
        .to_string()
        .into_bytes()
}

async fn client(lab: &Lab) -> Client {
    let kubeconfig = Kubeconfig::read_from(lab.plane.kubeconfig()).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    Client::try_from(config.unwrap()).unwrap()
}
