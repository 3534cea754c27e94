//! Objects with Pod templates, and objects that are none of cotter's business.

use serde_json::{Value, json};

use super::{Case, image, one, review, with};

/// Group, version, kind, resource, and where the Pod template is.
const WORKLOADS: [([&str; 3], &str, &str); 8] = [
    (["apps", "v1", "Deployment"], "deployments", "spec/template"),
    (
        ["apps", "v1", "StatefulSet"],
        "statefulsets",
        "spec/template",
    ),
    (["apps", "v1", "DaemonSet"], "daemonsets", "spec/template"),
    (["apps", "v1", "ReplicaSet"], "replicasets", "spec/template"),
    (["batch", "v1", "Job"], "jobs", "spec/template"),
    (
        ["batch", "v1", "CronJob"],
        "cronjobs",
        "spec/jobTemplate/spec/template",
    ),
    (
        ["", "v1", "ReplicationController"],
        "replicationcontrollers",
        "spec/template",
    ),
    (["", "v1", "PodTemplate"], "podtemplates", "template"),
];

pub fn all() -> Vec<Case> {
    WORKLOADS
        .into_iter()
        .flat_map(workload)
        .chain(foreign())
        .collect()
}

fn workload((kind, resource, place): ([&str; 3], &str, &str)) -> Vec<Case> {
    let of = |image: &str| {
        let object = json!({"kind": kind[2], "metadata": {"name": "web", "namespace": "shop"}});
        with(object, &[(place, one(image))])
    };
    let (dev, missing) = (
        of(&image("public/app:dev")),
        of(&image("public/app:missing")),
    );
    let owner = json!([{"kind": "Deployment", "name": "web", "uid": "u", "controller": true}]);
    let owned = with(dev.clone(), &[("metadata/ownerReferences", owner)]);
    let empty = json!({"kind": kind[2], "metadata": {"name": "web"}, "spec": {}});
    let case = |name: &str, operation: &str, object: &Value, old: &Value| Case {
        name: format!("{operation} {resource}: {name}"),
        review: review(operation, kind, resource, object, old),
    };
    vec![
        case("a tag", "CREATE", &dev, &Value::Null),
        case("a missing tag", "CREATE", &missing, &Value::Null),
        case(
            "a private image",
            "CREATE",
            &of(&image("private/app:dev")),
            &Value::Null,
        ),
        case("no reference", "CREATE", &of("Bad Image::"), &Value::Null),
        case("an owner", "CREATE", &owned, &Value::Null),
        case("no template", "CREATE", &empty, &Value::Null),
        case("nothing", "UPDATE", &dev, &dev),
        case("an image", "UPDATE", &missing, &dev),
        case("the object", "DELETE", &Value::Null, &dev),
    ]
}

fn foreign() -> Vec<Case> {
    let case = |name: &str, kind: [&str; 3], resource: &str, object: Value| Case {
        name: format!("CREATE {resource}: {name}"),
        review: review("CREATE", kind, resource, &object, &Value::Null),
    };
    let named = json!({"name": "x"});
    vec![
        case(
            "members of a Pod with other shapes",
            ["example.com", "v1", "Thing"],
            "things",
            json!({"metadata": {"name": "x", "annotations": [1]}, "spec": {"containers": "none", "volumes": 7, "template": true}}),
        ),
        case(
            "a Pod of another group",
            ["example.com", "v1", "Pod"],
            "pods",
            json!({"metadata": named, "spec": {"containers": {"a": 1}}}),
        ),
        case(
            "a ConfigMap",
            ["", "v1", "ConfigMap"],
            "configmaps",
            json!({"metadata": named, "data": {"a": "b"}}),
        ),
        case(
            "a Node",
            ["", "v1", "Node"],
            "nodes",
            json!({"metadata": named}),
        ),
        case(
            "a Namespace",
            ["", "v1", "Namespace"],
            "namespaces",
            json!({"metadata": named}),
        ),
        case(
            "a Scale",
            ["autoscaling", "v1", "Scale"],
            "deployments/scale",
            json!({"metadata": named, "spec": {"replicas": 3}}),
        ),
        case(
            "a text",
            ["example.com", "v1", "Thing"],
            "things",
            json!("text"),
        ),
    ]
}
