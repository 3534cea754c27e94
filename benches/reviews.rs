//! Reviews of Pods as a ReplicaSet's controller creates them and the API server sends them: members in Go's order, defaults
//! filled in, managed fields, the service account's volume.

use anyhow::Result;
use bytes::Bytes;
use serde_json::Value;

/// The uid that the template of a review holds.
const UID: &str = "705ab4f5-6393-11e8-b7cc-000000000000";

/// The namespace of every Pod of the bench.
pub(crate) const NAMESPACE: &str = "frontend-dev";

/// How big a Pod is.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) images: usize,
    /// Environment variables of each container; they make most of a large Pod.
    pub(crate) env: usize,
}

// facts §10: 1 image in 3.8 KB, 3 in 8.9 KB, 5 in 41 KB.
pub(crate) const SMALL: Shape = Shape {
    name: "small",
    images: 1,
    env: 0,
};
pub(crate) const TYPICAL: Shape = Shape {
    name: "typical",
    images: 3,
    env: 6,
};
pub(crate) const BIG: Shape = Shape {
    name: "big",
    images: 5,
    env: 40,
};

/// A review without its uid.
pub(crate) struct Review {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Review {
    /// The review of a Pod with these images, one container each, of the ReplicaSet with this number.
    pub(crate) fn of_pod(images: &[String], env: usize, revision: usize) -> Self {
        let text = review(&pod(images, env, revision));
        let (before, after) = text.split_once(UID).unwrap_or((&text, ""));
        Self {
            before: before.into(),
            after: after.into(),
        }
    }

    /// The review of a Pod of this shape, with the first of these images.
    pub(crate) fn shaped(shape: Shape, images: &[String]) -> Self {
        let images = images.get(..shape.images).unwrap_or(images);
        Self::of_pod(images, shape.env, 1)
    }

    /// The review with a uid of its own, as every call has.
    pub(crate) fn numbered(&self, number: u64) -> (String, Bytes) {
        let uid = format!("705ab4f5-6393-11e8-b7cc-{number:012x}");
        let body = [&self.before, uid.as_bytes(), &self.after].concat();
        (uid, Bytes::from(body))
    }

    pub(crate) fn len(&self) -> usize {
        self.before.len() + UID.len() + self.after.len()
    }
}

/// The same Pod as it comes to the API server, of this namespace or that.
pub(crate) fn created_pod(images: &[String], env: usize) -> Result<String> {
    let mut pod: Value = serde_json::from_str(&pod(images, env, 1))?;
    if let Some(metadata) = pod.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| name != "managedFields" && name != "namespace");
    }
    Ok(pod.to_string())
}

fn review(pod: &str) -> String {
    let kinds = r#""kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"requestKind":{"group":"","version":"v1","kind":"Pod"},"requestResource":{"group":"","version":"v1","resource":"pods"}"#;
    let user = r#""userInfo":{"username":"system:serviceaccount:kube-system:replicaset-controller","uid":"5d9c4a4c-1f0e-4b0c-9f3e-0c6a2b8c7d11","groups":["system:serviceaccounts","system:serviceaccounts:kube-system","system:authenticated"]}"#;
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{UID}",{kinds},"namespace":"{NAMESPACE}","operation":"CREATE",{user},"object":{pod},"oldObject":null,"dryRun":false,"options":{{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"}}}}}}"#
    )
}

fn pod(images: &[String], env: usize, revision: usize) -> String {
    let hash = format!("{revision:010x}");
    let named = || images.iter().enumerate();
    let containers: Vec<_> = named().map(|(at, i)| container(at, i, env)).collect();
    let managed: Vec<_> = named().map(|(at, _)| managed_container(at, env)).collect();
    let owner = format!(
        r#"{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-{hash}","uid":"0d1f5b3e-4c5a-4f7b-9a57-{revision:012x}","controller":true,"blockOwnerDeletion":true}}"#
    );
    let metadata = format!(
        r#""metadata":{{"generateName":"web-{hash}-","namespace":"{NAMESPACE}","labels":{{"app.kubernetes.io/instance":"web","app.kubernetes.io/managed-by":"Helm","app.kubernetes.io/name":"web","pod-template-hash":"{hash}"}},"annotations":{{"prometheus.io/port":"8080","prometheus.io/scrape":"true"}},"ownerReferences":[{owner}],"managedFields":[{}]}}"#,
        managed_fields(&managed.join(","), revision)
    );
    format!(
        r#"{{"kind":"Pod","apiVersion":"v1",{metadata},"spec":{{"volumes":[{VOLUMES}],"containers":[{}],{SPEC_REST}}},"status":{{"phase":"Pending","qosClass":"Burstable"}}}}"#,
        containers.join(",")
    )
}

const VOLUMES: &str = r#"{"name":"kube-api-access-x7k2p","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],"defaultMode":420}}"#;

const SPEC_REST: &str = r#""restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"web","serviceAccount":"web","securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},"schedulerName":"default-scheduler","tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority""#;

fn container(at: usize, image: &str, env: usize) -> String {
    let variables: Vec<_> = (0..env).map(|n| variable(at, n)).collect();
    let variables = match variables.join(",") {
        none if none.is_empty() => none,
        some => format!(r#","env":[{some}]"#),
    };
    let mounts = r#"{"name":"kube-api-access-x7k2p","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}"#;
    let probe = r#"{"httpGet":{"path":"/healthz","port":"http","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}"#;
    format!(
        r#"{{"name":"web-{at}","image":"{image}","ports":[{{"name":"http","containerPort":{},"protocol":"TCP"}}]{},"resources":{{"limits":{{"memory":"256Mi"}},"requests":{{"cpu":"50m","memory":"128Mi"}}}},"volumeMounts":[{mounts}],"readinessProbe":{probe},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"Always","securityContext":{{"capabilities":{{"drop":["ALL"]}},"readOnlyRootFilesystem":true,"allowPrivilegeEscalation":false}}}}"#,
        8080 + at,
        variables
    )
}

fn variable(at: usize, n: usize) -> String {
    match n % 4 {
        0 => format!(
            r#"{{"name":"SERVICE_{at}_{n}_URL","value":"http://service-{n}.backend-dev.svc.cluster.local:8080/api"}}"#
        ),
        1 => format!(
            r#"{{"name":"SERVICE_{at}_{n}_TOKEN","valueFrom":{{"secretKeyRef":{{"name":"web-{n}","key":"token"}}}}}}"#
        ),
        2 => format!(
            r#"{{"name":"SERVICE_{at}_{n}_ADDRESS","valueFrom":{{"fieldRef":{{"apiVersion":"v1","fieldPath":"status.podIP"}}}}}}"#
        ),
        _ => format!(
            r#"{{"name":"SERVICE_{at}_{n}_FLAGS","value":"--greeting=\"good morning\" --depth={n}"}}"#
        ),
    }
}

/// What the controller owns of the Pod: one entry, written by the server before admission.
fn managed_fields(containers: &str, revision: usize) -> String {
    format!(
        r#"{{"manager":"kube-controller-manager","operation":"Update","apiVersion":"v1","time":"2026-05-04T09:12:31Z","fieldsType":"FieldsV1","fieldsV1":{{"f:metadata":{{"f:annotations":{{".":{{}},"f:prometheus.io/port":{{}},"f:prometheus.io/scrape":{{}}}},"f:generateName":{{}},"f:labels":{{".":{{}},"f:app.kubernetes.io/instance":{{}},"f:app.kubernetes.io/managed-by":{{}},"f:app.kubernetes.io/name":{{}},"f:pod-template-hash":{{}}}},"f:ownerReferences":{{".":{{}},"k:{{\"uid\":\"0d1f5b3e-4c5a-4f7b-9a57-{revision:012x}\"}}":{{}}}}}},"f:spec":{{"f:containers":{{{containers}}},"f:dnsPolicy":{{}},"f:enableServiceLinks":{{}},"f:restartPolicy":{{}},"f:schedulerName":{{}},"f:securityContext":{{".":{{}},"f:runAsNonRoot":{{}},"f:seccompProfile":{{".":{{}},"f:type":{{}}}}}},"f:serviceAccount":{{}},"f:serviceAccountName":{{}},"f:terminationGracePeriodSeconds":{{}}}}}}}}"#
    )
}

fn managed_container(at: usize, env: usize) -> String {
    let variable = |n: usize| {
        let name = match n % 4 {
            0 => "URL",
            1 => "TOKEN",
            2 => "ADDRESS",
            _ => "FLAGS",
        };
        let value = if matches!(n % 4, 1 | 2) {
            r#""f:valueFrom":{".":{}}"#
        } else {
            r#""f:value":{}"#
        };
        format!(
            r#""k:{{\"name\":\"SERVICE_{at}_{n}_{name}\"}}":{{".":{{}},"f:name":{{}},{value}}}"#
        )
    };
    let variables: Vec<_> = (0..env).map(variable).collect();
    let variables = match variables.join(",") {
        none if none.is_empty() => none,
        some => format!(r#""f:env":{{".":{{}},{some}}},"#),
    };
    format!(
        r#""k:{{\"name\":\"web-{at}\"}}":{{".":{{}},{}"f:image":{{}},"f:imagePullPolicy":{{}},"f:name":{{}},"f:ports":{{".":{{}},"k:{{\"containerPort\":{},\"protocol\":\"TCP\"}}":{{".":{{}},"f:containerPort":{{}},"f:name":{{}},"f:protocol":{{}}}}}},"f:readinessProbe":{{".":{{}},"f:httpGet":{{".":{{}},"f:path":{{}},"f:port":{{}}}}}},"f:resources":{{".":{{}},"f:limits":{{".":{{}},"f:memory":{{}}}},"f:requests":{{".":{{}},"f:cpu":{{}},"f:memory":{{}}}}}},"f:securityContext":{{}}}}"#,
        variables,
        8080 + at
    )
}
