//! Values that make no sense are refused before anything is installed, and the message says which.

use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    helm::{at, template},
    support::require,
};

#[rstest]
#[case::unknown("replicas", json!(3), "additional properties 'replicas' not allowed")]
#[case::unknown_below("image.name", json!("x"), "additional properties 'name' not allowed")]
#[case::unknown_in_config("config.polices", json!({}), "additional properties 'polices' not allowed")]
#[case::unknown_in_a_policy("config.policies.mine.pins", json!({}), "additional properties 'pins' not allowed")]
#[case::unknown_in_resolve("config.resolve.frehs", json!("2s"), "additional properties 'frehs' not allowed")]
#[case::unknown_env_member("extraEnv", json!([{"name": "A", "val": "b"}]), "additional properties 'val' not allowed")]
#[case::failure_policy("failurePolicy", json!("Deny"), "at '/failurePolicy': value must be one of 'Ignore', 'Fail'")]
#[case::timeout("timeoutSeconds", json!(31), "at '/timeoutSeconds': maximum: got 31, want 30")]
#[case::no_timeout("timeoutSeconds", json!(0), "at '/timeoutSeconds': minimum: got 0, want 1")]
#[case::replicas("replicaCount", json!("two"), "at '/replicaCount': got string, want integer")]
#[case::digest("image.digest", json!("sha256:abc"), "at '/image/digest': 'sha256:abc' does not match pattern")]
#[case::mode("certificates.mode", json!("letsencrypt"), "at '/certificates/mode': value must be one of")]
#[case::life("certificates.leafLife", json!("30d"), "at '/certificates/leafLife': '30d' does not match pattern")]
#[case::files_without_a_secret("certificates.mode", json!("files"), "at '/certificates/secretName': minLength: got 0, want 1")]
#[case::cert_manager_without_an_issuer("certificates.mode", json!("cert-manager"), "at '/certificates/issuerRef/name': minLength: got 0, want 1")]
#[case::two_authorities("callers.clientCA", json!({"configMap": "a", "secret": "b"}), "at '/callers/clientCA': 'not' failed")]
#[case::scope("rbac.scope", json!("all"), "at '/rbac/scope': value must be one of 'cluster', 'namespaces'")]
#[case::nobody("rbac.scope", json!("namespaces"), "at '/rbac/namespaces': minItems: got 0, want 1")]
#[case::list_without_scope("rbac.namespaces", json!(["shop"]), "at '/rbac/namespaces': maxItems: got 1, want 0")]
#[case::admin_group("registries.adminGroups", json!([""]), "at '/registries/adminGroups/0': minLength: got 0, want 1")]
#[case::unknown_of_registries("registries.admins", json!([]), "additional properties 'admins' not allowed")]
#[case::deny_and_warn("validatingPolicy.actions", json!(["Deny", "Warn"]), "at '/validatingPolicy/actions': 'not' failed")]
#[case::no_action("validatingPolicy.actions", json!([]), "at '/validatingPolicy/actions': minItems: got 0, want 1")]
#[case::verdict("config.policies.mine.onFailure.notFound", json!("ignore"), "value must be one of 'warn', 'deny'")]
#[case::policy_name("config.policies", json!({"my policy": {}}), "additional properties 'my policy' not allowed")]
#[case::duration("config.resolve.ttl", json!(60), "at '/config/resolve/ttl': got number, want string")]
#[case::no_policies("config.policies", json!({}), "at '/config/policies': minProperties: got 0, want 1")]
#[case::registry_without_a_host("config.registries", json!([{"plainHttp": true}]), "missing property 'host'")]
#[case::log_level("logLevel", json!("loud"), "at '/logLevel': value must be one of")]
#[case::default_policy("config.defaultPolicy", json!("mine"), r#"config.defaultPolicy: "mine" is not among config.policies (standard, strict)"#)]
#[case::a_line_that_nobody_draws("", json!({"validatingPolicy": {"enabled": true}, "config": {"resolve": {"offline": true}}}), "validatingPolicy.enabled: with config.resolve.offline nothing is pinned")]
fn refuses(#[case] path: &str, #[case] value: Value, #[case] said: &str) {
    require!("helm");
    let values = if path.is_empty() {
        value
    } else {
        at(path, value)
    };
    let outcome = template(&values);
    let message = outcome.failed();
    assert!(message.contains(said), "{said:?} not in {message}");
}

#[test]
fn an_older_kubernetes_is_refused() {
    require!("helm");
    let args = [
        "template",
        "cotter",
        crate::helm::CHART,
        "--kube-version",
        "1.29.9",
    ];
    let message = crate::helm::helm(&args, &Value::Null).failed();
    assert!(message.contains("kubeVersion: >=1.30.0-0"), "{message}");
}
