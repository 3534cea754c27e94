//! Named sets of values, each of them something that a user would write.

use serde_json::{Value, json};

/// All of them render and are accepted by an API server.
pub fn rows() -> Vec<(&'static str, Value)> {
    vec![
        ("nothing", json!({})),
        ("one replica", json!({"replicaCount": 1})),
        (
            "an image by digest",
            json!({"image": {"repository": "registry.internal:5000/tools/cotter", "digest": format!("sha256:{}", "a".repeat(64))}}),
        ),
        (
            "a private image",
            json!({"imagePullSecrets": [{"name": "regcred"}], "image": {"pullPolicy": "Always", "tag": "edge"}}),
        ),
        ("a name of its own", json!({"fullnameOverride": "pins"})),
        (
            "fail closed",
            json!({"failurePolicy": "Fail", "timeoutSeconds": 5}),
        ),
        (
            "annotated webhooks",
            json!({"webhookAnnotations": {"service.beta.openshift.io/inject-cabundle": "true"}}),
        ),
        (
            "short certificates",
            json!({"certificates": {"caLife": "1h", "leafLife": "10m30s"}}),
        ),
        (
            "cert-manager",
            json!({"certificates": {"mode": "cert-manager", "issuerRef": {"name": "internal", "kind": "ClusterIssuer"}}}),
        ),
        (
            "files",
            json!({"certificates": {"mode": "files", "secretName": "webhook-tls"}}),
        ),
        (
            "files and a bundle that others write",
            json!({"certificates": {"mode": "files", "secretName": "webhook-tls", "caKey": ""}}),
        ),
        (
            "callers with certificates of a ConfigMap",
            json!({"callers": {"clientCA": {"configMap": "api-server-ca"}}}),
        ),
        (
            "callers with certificates of a Secret",
            json!({"callers": {"clientCA": {"secret": "api-server-ca", "key": "tls.crt"}}}),
        ),
        (
            "listed namespaces",
            json!({"rbac": {"scope": "namespaces", "namespaces": ["shop", "till"]}}),
        ),
        (
            "roles of somebody else",
            json!({"rbac": {"create": false}, "serviceAccount": {"create": false, "name": "cotter-by-hand"}}),
        ),
        (
            "a cloud's identity",
            json!({"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}}}),
        ),
        ("kept kinds", json!({"crds": {"keep": true}})),
        ("no kinds", json!({"crds": {"enabled": false}})),
        (
            "a private registry",
            json!({
                "config": {"registries": [{"host": "registry.internal:5000", "caFile": "/etc/cotter/ca/internal.pem", "allowPrivate": true}]},
                "registryCAs": [{"configMap": {"name": "internal-ca"}}, {"secret": {"name": "other-ca", "items": [{"key": "ca.crt", "path": "other.pem"}]}}],
            }),
        ),
        ("policies", json!({"config": policies()})),
        (
            "a validating policy",
            json!({"validatingPolicy": {"enabled": true}}),
        ),
        (
            "a validating policy that denies",
            json!({"validatingPolicy": {"enabled": true, "actions": ["Deny", "Audit"]}, "config": policies()}),
        ),
        (
            "a validating policy for listed namespaces",
            json!({"validatingPolicy": {"enabled": true}, "rbac": {"scope": "namespaces", "namespaces": ["shop"]}}),
        ),
        (
            "slow networks",
            json!({"shutdownDelaySeconds": 30, "drainSeconds": 60}),
        ),
        (
            "logs for people",
            json!({"logFormat": "text", "logLevel": "debug"}),
        ),
        (
            "a proxy",
            json!({"extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]}),
        ),
        (
            "placement",
            json!({
                "nodeSelector": {"kubernetes.io/os": "linux"}, "priorityClassName": "system-cluster-critical",
                "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"}],
                "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}}},
                "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}],
                "podLabels": {"team": "platform"}, "podAnnotations": {"note": "x"},
                "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
            }),
        ),
        (
            "no disruption budget",
            json!({"podDisruptionBudget": {"enabled": false}}),
        ),
        (
            "a disruption budget in percent",
            json!({"podDisruptionBudget": {"maxUnavailable": "34%"}}),
        ),
        (
            "a network policy",
            json!({"networkPolicy": {"enabled": true}}),
        ),
        (
            "a network policy with peers",
            json!({"networkPolicy": {
                "enabled": true, "webhookFrom": [{"ipBlock": {"cidr": "10.0.0.0/8"}}],
                "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
                "egress": [{"ports": [{"port": 443}, {"port": 53, "protocol": "UDP"}]}],
            }}),
        ),
        (
            "monitoring",
            json!({
                "serviceMonitor": {"enabled": true, "interval": "15s", "labels": {"release": "prometheus"}},
                "prometheusRule": {"enabled": true, "labels": {"release": "prometheus"}},
                "dashboard": {"enabled": true, "annotations": {"grafana_folder": "cotter"}},
            }),
        ),
        ("no helm test", json!({"helmTest": {"enabled": false}})),
        (
            "what a parent chart shares",
            json!({"global": {"anything": {"at": "all"}}}),
        ),
    ]
}

/// Policies of every kind.
pub fn policies() -> Value {
    json!({
        "defaultPolicy": "lax",
        "policies": {
            "lax": {"pin": {"immutableTags": ["v*", "release-??"], "skip": ["ghcr.io/acme/**", "docker.io/library/*"]}, "allowSkip": false},
            "short.names": {"canonicalise": {"shortNames": "leave"}, "pin": {"skip": []}},
            "by-default": null,
            "strict": {"pin": {"pinImmutable": true, "immutableTags": ["*"]}, "allowSkip": false, "onFailure": {
                "invalid": "deny", "notFound": "deny", "unauthorized": "deny", "unavailable": "deny", "refused": "deny"}},
        },
    })
}
