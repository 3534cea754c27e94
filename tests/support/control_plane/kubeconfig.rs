//! Kubeconfigs: of the administrator, of the parts, and of users who may do less.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::ca::Identity;
use super::super::scratch::Scratch;
use super::ControlPlane;

impl ControlPlane {
    /// A kubeconfig whose client certificate says that it is `user` in `groups` (two at most). It may do what RBAC says.
    pub fn kubeconfig_for(&self, user: &str, groups: &[&str]) -> PathBuf {
        write(
            &self.scratch,
            user,
            &self.host,
            self.ca.pem(),
            &self.ca.client(user, groups),
        )
    }

    /// A kubeconfig that presents this bearer token. It may do what RBAC says.
    pub fn kubeconfig_of_token(&self, name: &str, token: &str) -> PathBuf {
        let user = json!({"token": token});
        write_user(&self.scratch, name, &self.host, self.ca.pem(), &user)
    }
}

pub(super) fn write(scratch: &Scratch, user: &str, host: &str, ca: &str, me: &Identity) -> PathBuf {
    let is = json!({"client-certificate-data": STANDARD.encode(&me.cert), "client-key-data": STANDARD.encode(&me.key)});
    write_user(scratch, user, host, ca, &is)
}

fn write_user(scratch: &Scratch, name: &str, host: &str, ca: &str, user: &Value) -> PathBuf {
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let cluster = json!({"server": format!("https://{host}"), "certificate-authority-data": STANDARD.encode(ca)});
    // JSON is YAML.
    let content = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    });
    scratch.write(&format!("{name}.kubeconfig"), content.to_string())
}
