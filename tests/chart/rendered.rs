//! What stands in the manifests, row by row.

use serde_json::{Value, json};

use crate::{
    helm::{CHART, Rendered, helm, template_as, webhooks},
    matrix::{self, policies},
    support::require,
};

#[test]
fn helm_lint_finds_nothing() {
    require!("helm");
    for (name, values) in matrix::rows() {
        let outcome = helm(&["lint", "--strict", CHART], &values);
        assert_eq!(
            outcome.code, 0,
            "{name}: {}{}",
            outcome.stdout, outcome.stderr
        );
    }
}

#[test]
fn the_pod_has_no_right_that_it_does_not_need() {
    require!("helm");
    let rendered = Rendered::of(&json!({}));
    let (pod, container) = (rendered.pod(), &rendered.pod()["containers"][0]);
    let pod_context = json!({"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}});
    assert_eq!(pod["securityContext"], pod_context);
    let context = json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
    assert_eq!(container["securityContext"], context);
    assert_eq!(pod["hostNetwork"], Value::Null);
    assert_eq!(
        rendered.one("ServiceAccount")["automountServiceAccountToken"],
        false
    );
    let port = |name: &str| {
        let ports = container["ports"].as_array().unwrap();
        ports.iter().find(|p| p["name"] == name).unwrap()["containerPort"].clone()
    };
    assert_eq!((port("webhook"), port("ops")), (json!(8443), json!(8080)));
    assert_eq!(
        container["livenessProbe"]["httpGet"],
        json!({"path": "/livez", "port": "ops"})
    );
    assert_eq!(
        container["readinessProbe"]["httpGet"],
        json!({"path": "/readyz", "port": "ops"})
    );
}

#[test]
fn replicas_are_spread_and_leave_one_by_one() {
    require!("helm");
    let rendered = Rendered::of(&json!({}));
    let deployment = rendered.one("Deployment");
    assert_eq!(deployment["spec"]["replicas"], 2);
    assert_eq!(
        deployment["spec"]["strategy"]["rollingUpdate"],
        json!({"maxUnavailable": 0, "maxSurge": 1})
    );
    let spread = rendered.pod()["topologySpreadConstraints"]
        .as_array()
        .unwrap();
    let over: Vec<_> = spread.iter().map(|s| &s["topologyKey"]).collect();
    assert_eq!(
        over,
        ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    );
    let labels = &deployment["spec"]["selector"]["matchLabels"];
    assert!(
        spread
            .iter()
            .all(|s| &s["labelSelector"]["matchLabels"] == labels)
    );
    let budget = rendered.one("PodDisruptionBudget");
    assert_eq!(budget["spec"]["maxUnavailable"], 1);
    assert_eq!(&budget["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(&rendered.one("Service")["spec"]["selector"], labels);
}

#[test]
fn the_grace_period_covers_the_shutdown() {
    require!("helm");
    for (delay, drain) in [(5, 20), (0, 0), (30, 60)] {
        let rendered = Rendered::of(&json!({"shutdownDelaySeconds": delay, "drainSeconds": drain}));
        assert_eq!(
            rendered.env("COTTER_SHUTDOWN_DELAY"),
            Some(&json!(format!("{delay}s")))
        );
        assert_eq!(
            rendered.env("COTTER_DRAIN"),
            Some(&json!(format!("{drain}s")))
        );
        assert_eq!(
            rendered.pod()["terminationGracePeriodSeconds"],
            delay + drain + 5
        );
    }
}

#[test]
fn neither_ca_bundle_nor_path_is_rendered() {
    require!("helm");
    for (name, values) in matrix::rows() {
        let rendered = Rendered::of(&values);
        let configurations = rendered.of_kind("MutatingWebhookConfiguration");
        assert!(!configurations.is_empty(), "{name}");
        for (webhook, object) in configurations.into_iter().flat_map(webhooks) {
            let client = object["clientConfig"].as_object().unwrap();
            assert_eq!(
                client.keys().collect::<Vec<_>>(),
                ["service"],
                "{name}: {webhook}"
            );
            let service = client["service"].as_object().unwrap();
            let mut keys: Vec<_> = service.keys().collect();
            keys.sort();
            assert_eq!(keys, ["name", "namespace", "port"], "{name}: {webhook}");
        }
    }
}

#[test]
fn the_webhooks_are_called_for_what_holds_images() {
    require!("helm");
    let rendered = Rendered::of(&json!({}));
    let found = webhooks(rendered.named("MutatingWebhookConfiguration", "cotter"));
    let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "pods.cotter.dev",
            "again.cotter.dev",
            "workloads.cotter.dev"
        ]
    );
    let resources = |webhook: &Value| -> Vec<String> {
        let rules = webhook["rules"].as_array().unwrap().iter();
        let each = rules.flat_map(|rule| {
            let operations = rule["operations"].as_array().unwrap().len();
            let resources = rule["resources"].as_array().unwrap().iter();
            resources.map(move |r| format!("{} {operations}", r.as_str().unwrap()))
        });
        each.collect()
    };
    assert_eq!(
        resources(found[0].1),
        ["pods 2", "pods/ephemeralcontainers 1"]
    );
    let templates = [
        "replicationcontrollers",
        "podtemplates",
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
    ];
    assert_eq!(resources(found[1].1), ["pods 1"]);
    assert_eq!(resources(found[2].1), templates.map(|t| format!("{t} 2")));
    for (name, webhook) in found {
        let fixed = json!(["Ignore", 10, "IfNeeded", "Equivalent", "None", ["v1"]]);
        let members = [
            "failurePolicy",
            "timeoutSeconds",
            "reinvocationPolicy",
            "matchPolicy",
            "sideEffects",
            "admissionReviewVersions",
        ];
        assert_eq!(Value::from_iter(members.map(|m| webhook[m].clone())), fixed);
        let modes: &[&str] = match name {
            "again.cotter.dev" => &["enforce"],
            _ => &["enforce", "audit"],
        };
        let selector = json!([
            {"key": "cotter.dev/mode", "operator": "In", "values": modes},
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "kube-node-lease", "cotter-system"]},
        ]);
        assert_eq!(webhook["namespaceSelector"]["matchExpressions"], selector);
    }
}

#[test]
fn fail_closed_is_for_pods_of_enforced_namespaces_only() {
    require!("helm");
    let rendered = Rendered::of(&json!({"failurePolicy": "Fail"}));
    let found = webhooks(rendered.named("MutatingWebhookConfiguration", "cotter"));
    let said: Vec<_> = found
        .iter()
        .map(|(name, w)| {
            (
                *name,
                &w["failurePolicy"],
                &w["namespaceSelector"]["matchExpressions"][0]["values"],
            )
        })
        .collect();
    let (fail, ignore) = (json!("Fail"), json!("Ignore"));
    let (enforce, audit, both) = (
        json!(["enforce"]),
        json!(["audit"]),
        json!(["enforce", "audit"]),
    );
    let expected = [
        ("pods.cotter.dev", &fail, &enforce),
        ("audit.cotter.dev", &ignore, &audit),
        ("workloads.cotter.dev", &ignore, &both),
    ];
    assert_eq!(said, expected);
}

#[test]
fn certificates_come_from_where_the_values_say() {
    require!("helm");
    let rows = [
        ("self", json!({}), ["self", "", "", ""]),
        (
            "cert-manager",
            json!({"issuerRef": {"name": "internal"}}),
            ["files", "/etc/cotter/tls/tls.crt", "", "cotter-tls"],
        ),
        (
            "files",
            json!({"secretName": "mine"}),
            [
                "files",
                "/etc/cotter/tls/tls.crt",
                "/etc/cotter/tls/ca.crt",
                "mine",
            ],
        ),
        (
            "files",
            json!({"secretName": "mine", "caKey": ""}),
            ["files", "/etc/cotter/tls/tls.crt", "", "mine"],
        ),
    ];
    for (mode, mut values, expected) in rows {
        values["mode"] = mode.into();
        let rendered = Rendered::of(&json!({"certificates": values}));
        let env =
            ["COTTER_CERTIFICATES", "COTTER_CERT", "COTTER_CA"].map(|name| rendered.env(name));
        let env = env.map(|value| value.and_then(Value::as_str).unwrap_or_default());
        let secret = &rendered.pod()["volumes"][0]["secret"]["secretName"];
        let found = [env[0], env[1], env[2], secret.as_str().unwrap_or_default()];
        assert_eq!(found, expected, "{mode} {values}");
        let annotation = &rendered.named("MutatingWebhookConfiguration", "cotter")["metadata"]["annotations"]
            ["cert-manager.io/inject-ca-from"];
        let registries = rendered.named("MutatingWebhookConfiguration", "cotter-registries");
        let of_registries =
            &registries["metadata"]["annotations"]["cert-manager.io/inject-ca-from"];
        assert_eq!(of_registries, annotation, "{mode}");
        let certificates = rendered.of_kind("Certificate");
        if mode == "cert-manager" {
            assert_eq!(annotation, "cotter-system/cotter");
            assert_eq!(
                certificates[0]["spec"]["dnsNames"],
                json!(["cotter.cotter-system.svc"])
            );
            assert_eq!(certificates[0]["spec"]["secretName"], "cotter-tls");
        } else {
            assert_eq!(
                (annotation, certificates.len()),
                (&Value::Null, 0),
                "{mode}"
            );
        }
    }
}

#[test]
fn secrets_of_all_namespaces_are_read_in_cluster_scope_only() {
    require!("helm");
    let reads_secrets = |role: &Value| {
        let rules = role["rules"].as_array().unwrap();
        rules
            .iter()
            .any(|rule| rule["resources"] == json!(["secrets"]))
    };
    let rendered = Rendered::of(&json!({}));
    assert!(reads_secrets(rendered.one("ClusterRole")));
    let values = json!({"rbac": {"scope": "namespaces", "namespaces": ["shop", "till"]}});
    let rendered = Rendered::of(&values);
    let cluster = rendered.one("ClusterRole");
    assert!(!reads_secrets(cluster), "{cluster:#}");
    assert_eq!(
        cluster["rules"][0]["resourceNames"],
        json!(["shop", "till"])
    );
    let roles = rendered.of_kind("Role");
    let place = |role: &&Value| role["metadata"]["namespace"].as_str().unwrap().to_owned();
    // Where Events of Registry objects are written, and nothing else is done.
    let (of_events, roles): (Vec<_>, Vec<_>) =
        roles.into_iter().partition(|role| place(role) == "default");
    let events = json!([{"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}]);
    assert_eq!(of_events.len(), 1);
    assert_eq!(of_events[0]["rules"], events);
    assert_eq!(
        roles.iter().map(place).collect::<Vec<_>>(),
        ["cotter-system", "shop", "till"]
    );
    assert!(roles.iter().all(|role| reads_secrets(role)));
    assert_eq!(
        rendered.env("COTTER_WATCH_NAMESPACES"),
        Some(&json!("shop,till"))
    );
    for (name, webhook) in webhooks(rendered.named("MutatingWebhookConfiguration", "cotter")) {
        let own = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop", "till"]});
        assert_eq!(
            webhook["namespaceSelector"]["matchExpressions"][2], own,
            "{name}"
        );
    }
}

#[test]
fn no_role_may_do_everything() {
    require!("helm");
    for (name, values) in matrix::rows() {
        let rendered = Rendered::of(&values);
        let roles = ["Role", "ClusterRole"]
            .iter()
            .flat_map(|kind| rendered.of_kind(kind));
        for rule in roles.flat_map(|role| role["rules"].as_array().unwrap()) {
            assert!(!rule.to_string().contains('*'), "{name}: {rule}");
        }
    }
}

#[test]
fn the_configuration_is_the_values_word_for_word() {
    require!("helm");
    let rendered = Rendered::of(&json!({"config": policies()}));
    let text = rendered.one("ConfigMap")["data"]["cotter.yaml"]
        .as_str()
        .unwrap();
    let read: Value = serde_saphyr::from_str(text).unwrap();
    assert_eq!(read, policies());
}

#[test]
fn everything_bears_the_name_of_the_release() {
    require!("helm");
    for (release, name) in [
        ("cotter", "cotter"),
        ("my-cotter", "my-cotter"),
        ("pins", "pins-cotter"),
    ] {
        let text = template_as(
            release,
            &json!({"validatingPolicy": {"enabled": true}}),
            &["--skip-tests"],
        )
        .ok();
        let rendered = Rendered::read(&text);
        assert!(!rendered.all().is_empty());
        for object in rendered.all() {
            let found = object["metadata"]["name"].as_str().unwrap();
            // A CustomResourceDefinition is called after its kind.
            let kind = object["kind"].as_str().unwrap();
            assert!(
                found.starts_with(name) || kind == "CustomResourceDefinition",
                "{kind} {found}"
            );
        }
        assert_eq!(
            rendered.env("COTTER_WEBHOOK_CONFIGURATION"),
            Some(&json!(name))
        );
        assert_eq!(
            rendered.env("COTTER_TRUST_SECRET"),
            Some(&json!(format!("{name}-trust")))
        );
    }
}

#[test]
fn the_test_pod_runs_only_under_a_name_that_cotter_mended() {
    require!("helm");
    let all = |values: Value| Rendered::read(&template_as("cotter", &values, &[]).ok());
    let rendered = all(json!({"image": {"repository": "registry.internal:5000/tools/cotter"}}));
    let pod = rendered.one("Pod");
    assert_eq!(
        pod["spec"]["containers"][0]["image"],
        "registry.internal:5000/tools/COTTER:0.1.0"
    );
    let namespace = rendered.one("Namespace");
    assert_eq!(pod["metadata"]["namespace"], namespace["metadata"]["name"]);
    assert_eq!(
        namespace["metadata"]["labels"]["cotter.dev/mode"],
        "enforce"
    );
    let rendered = all(json!({"helmTest": {"namespace": "shop"}}));
    assert_eq!(rendered.one("Pod")["metadata"]["namespace"], "shop");
    assert!(rendered.of_kind("Namespace").is_empty());
    let listed = all(json!({"rbac": {"scope": "namespaces", "namespaces": ["shop"]}}));
    assert!(listed.of_kind("Pod").is_empty());
    assert!(
        all(json!({"helmTest": {"enabled": false}}))
            .of_kind("Pod")
            .is_empty()
    );
}

#[test]
fn callers_and_private_authorities_are_mounted_where_cotter_looks() {
    require!("helm");
    let values = json!({"callers": {"clientCA": {"configMap": "api"}}, "registryCAs": [{"configMap": {"name": "internal"}}]});
    let rendered = Rendered::of(&values);
    assert_eq!(
        rendered.env("COTTER_CLIENT_CA"),
        Some(&json!("/etc/cotter/client-ca/ca.crt"))
    );
    let mounts: Vec<_> = rendered.pod()["containers"][0]["volumeMounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (&m["name"], &m["mountPath"]))
        .collect();
    let (client, cas) = (json!("client-ca"), json!("registry-cas"));
    let (client_path, cas_path) = (json!("/etc/cotter/client-ca"), json!("/etc/cotter/ca"));
    assert_eq!(mounts, [(&client, &client_path), (&cas, &cas_path)]);
    assert_eq!(
        rendered.pod()["volumes"][1]["projected"]["sources"],
        values["registryCAs"]
    );
    assert_eq!(Rendered::of(&json!({})).pod()["volumes"], Value::Null);
}

#[test]
fn metrics_have_a_port_on_the_service_only_where_somebody_monitors_it() {
    require!("helm");
    let ports = |values: Value| {
        Rendered::of(&values).one("Service")["spec"]["ports"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(ports(json!({})), 1);
    assert_eq!(ports(json!({"serviceMonitor": {"enabled": true}})), 2);
}
