//! Pull secrets as a person would write them.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::registry::credentials;

/// A Secret of type `kubernetes.io/dockerconfigjson` for one host, a YAML document.
pub(crate) fn pull_secret(namespace: &str, name: &str, host: &str) -> String {
    let auth = credentials();
    let config = format!(r#"{{"auths":{{"{host}":{{"auth":"{auth}"}}}}}}"#);
    let data = BASE64_STANDARD.encode(config);
    format!(
        "---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  labels: {{ app.kubernetes.io/managed-by: platform }}\ndata:\n  .dockerconfigjson: {data}\n"
    )
}
