//! `Registry`: a container registry, the credential for it, and the namespaces that get a pull secret for it (design §5).
#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats each struct in a scope of its own"
)]

mod status;
mod wanted;

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{CustomResource, CustomResourceExt as _, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::selector::{self, Wanted};

pub use self::status::{Condition, NamespaceCount, RegistryStatus};

/// A container registry, the credential for it, and the namespaces that get a pull secret for it.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema,
)]
#[kube(
    group = "cotter.dev",
    version = "v1alpha1",
    kind = "Registry",
    plural = "registries",
    shortname = "reg",
    category = "cotter",
    status = "RegistryStatus",
    derive = "PartialEq",
    validation = Rule::new("self.metadata.name.size() <= 63")
        .message("a Registry's name is a label of its pull secrets: 63 characters at most"),
    doc = "A container registry. cotter proves that the credential works, and keeps the pull secrets for it in the namespaces that are named.",
    printcolumn = r#"{"name":"Type","type":"string","jsonPath":".spec.type"}"#,
    printcolumn = r#"{"name":"Host","type":"string","jsonPath":".status.host"}"#,
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Authenticated","type":"string","jsonPath":".status.conditions[?(@.type==\"Authenticated\")].status"}"#,
    printcolumn = r#"{"name":"Expires","type":"string","jsonPath":".status.expiresAt"}"#,
    printcolumn = r#"{"name":"Namespaces","type":"string","jsonPath":".status.namespaces.summary"}"#,
    printcolumn = r#"{"name":"Pods","type":"integer","jsonPath":".status.pods"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(self.type in ['ACR', 'Custom', 'Public']) || has(self.host) || has(self.loginServer) || has(self.url)")
        .message("an ACR, Custom or Public registry has no host of its own: set spec.host"),
    validation = Rule::new("!(self.type in ['ECR', 'GAR']) || has(self.region)")
        .message("the host of an ECR or GAR registry names its region: set spec.region"),
    validation = Rule::new("self.type != 'Public' || !has(self.credentials)")
        .message("a Public registry is asked anonymously: leave out spec.credentials, or choose another type"),
    validation = Rule::new("self.type in ['Public', 'ECR'] || has(self.credentials)")
        .message("set spec.credentials.secretRef.name: the Secret with the credential, in cotter's namespace"),
    validation = Rule::new("[has(self.host), has(self.loginServer), has(self.url)].filter(x, x).size() <= 1")
        .message("host, loginServer and url are three names of one thing: set one of them")
)]
pub struct RegistrySpec {
    /// What kind of registry it is. It decides the host, the keys of the credential Secret, and what is checked of them.
    #[serde(rename = "type")]
    pub kind: Kind,

    /// The registry's host as images spell it, with a port if it has one: registry.example.com:5000. Derived for GHCR,
    /// `DockerHub`, GCR, GAR, ECR and Quay where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(
        validation = Rule::new("!self.contains('://')").message("a host has no scheme: write registry.example.com, not https://registry.example.com"),
        validation = Rule::new("self == self.lowerAscii()").message("a host is written in lower case"),
        validation = Rule::new("!self.contains('*') && !self.contains('?') && !self.contains('[')").message("a host has no wildcards: one Registry is one registry"),
        validation = Rule::new("self.contains('://') || self.matches('^[^/@\\\\s]+(/[^@\\\\s]*)?$')").message("a host is written host[:port], without user, tag or digest")
    )]
    pub host: Option<String>,

    /// Another name of host, as Azure writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub login_server: Option<String>,

    /// Another name of host; a URL is reduced to its host, port and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub url: Option<String>,

    /// Only images of this owner (the first parts of their path) get the credential: bytequester for ghcr.io/bytequester/app.
    /// In lower case; upper case is accepted and lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(
        validation = Rule::new("self.matches('^[A-Za-z0-9._/-]+$')").message("an owner is a part of a path: letters, figures and . _ - / only")
    )]
    pub owner: Option<String>,

    /// The account of an ECR registry, twelve figures. Left out: that of the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self.matches('^[0-9]{12}$')").message("an AWS account is twelve figures"))]
    pub account: Option<String>,

    /// The region of an ECR registry (eu-central-1) or the location of a GAR one (europe-west3, europe).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self.matches('^[a-z][a-z0-9-]*$')").message("a region is written like eu-central-1 or europe-west3"))]
    pub region: Option<String>,

    /// Where the credential is. Left out for Public, and for ECR where cotter's own AWS identity is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,

    /// The pull secrets that are written.
    #[serde(default)]
    pub pull_secret: PullSecret,

    /// The namespaces that get a pull secret.
    #[serde(default)]
    pub namespaces: Namespaces,

    /// What the live test reads. Left out: only whether the registry takes the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probe>,

    /// What becomes of the pull secrets when this Registry is deleted.
    #[serde(default)]
    pub deletion: Deletion,
}

/// The kinds of registries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// GitHub's container registry, ghcr.io.
    #[serde(rename = "GHCR")]
    Ghcr,
    /// Docker Hub.
    DockerHub,
    /// Docker Hub by another name.
    Docker,
    /// Amazon's private registries.
    #[serde(rename = "ECR")]
    Ecr,
    /// Azure's registries.
    #[serde(rename = "ACR")]
    Acr,
    /// Google's Container Registry, gcr.io.
    #[serde(rename = "GCR")]
    Gcr,
    /// Google's Artifact Registry.
    #[serde(rename = "GAR")]
    Gar,
    /// quay.io
    Quay,
    /// Any other registry.
    #[default]
    Custom,
    /// A registry that is asked anonymously.
    Public,
}

/// Where a credential is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credentials {
    /// A Secret in cotter's own namespace. It names what it is for in the annotations cotter.dev/registry and
    /// cotter.dev/host.
    pub secret_ref: SecretRef,
}

/// A Secret by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct SecretRef {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The pull secrets that are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct PullSecret {
    /// Their name in each namespace. Left out: that of the Registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
}

/// Namespaces by name, by labels, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Namespaces {
    /// Namespaces by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub names: Vec<String>,

    /// Namespaces by their labels. Whoever may label a namespace that this matches receives the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
}

/// Labels that a namespace has to have; all of it has to hold. An empty one matches every namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// Labels with their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Conditions on labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<Requirement>,
}

/// A condition on a label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = Rule::new("self.operator in ['In', 'NotIn'] ? has(self.values) && self.values.size() > 0 : !has(self.values) || self.values.size() == 0")
    .message("In and NotIn need values; Exists and DoesNotExist take none"))]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// How the label's value is compared.
    pub operator: Operator,
    /// The values of `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// Its value is one of them.
    In,
    /// Its value is none of them, or there is no such label.
    NotIn,
    /// There is such a label.
    #[default]
    Exists,
    /// There is no such label.
    DoesNotExist,
}

/// What the live test reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct Probe {
    /// The repository, without the host: bytequester/app.
    #[schemars(length(min = 1, max = 255))]
    pub repository: String,
    /// The tag.
    #[serde(default = "latest")]
    #[schemars(length(min = 1, max = 128))]
    pub tag: String,
}

fn latest() -> String {
    "latest".to_owned()
}

/// What becomes of pull secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Deletion {
    /// They go with their Registry.
    #[default]
    Delete,
    /// They stay, and nobody looks after them any more.
    Retain,
}

// === impl Namespaces ===

impl Namespaces {
    /// Whether a namespace of this name, with these labels, gets a pull secret.
    #[must_use]
    pub fn matches(&self, name: &str, labels: &selector::Labels) -> bool {
        let by_labels = self.selector.as_ref();
        self.names.iter().any(|own| own == name)
            || by_labels.is_some_and(|selector| selector.meant().matches(labels))
    }
}

impl Selector {
    fn meant(&self) -> selector::Selector {
        let requirement = |key: &String, wanted| selector::Requirement {
            key: key.clone(),
            wanted,
        };
        let labels = self
            .match_labels
            .iter()
            .map(|(key, value)| requirement(key, Wanted::In(vec![value.clone()])));
        let expressions = self.match_expressions.iter().map(|expression| {
            let values = expression.values.clone();
            let wanted = match expression.operator {
                Operator::In => Wanted::In(values),
                Operator::NotIn => Wanted::NotIn(values),
                Operator::Exists => Wanted::Exists,
                Operator::DoesNotExist => Wanted::DoesNotExist,
            };
            requirement(&expression.key, wanted)
        });
        selector::Selector(labels.chain(expressions).collect())
    }
}

// === impl Registry ===

impl Registry {
    /// Whether its credential works, as far as its status tells.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        let mut conditions = self.status.iter().flat_map(|status| &status.conditions);
        conditions.any(|one| one.kind == "Authenticated" && one.status == "True")
    }

    /// The name of the pull secrets.
    #[must_use]
    pub fn pull_secret_name(&self) -> &str {
        let own = self.metadata.name.as_deref().unwrap_or_default();
        self.spec.pull_secret.name.as_deref().unwrap_or(own)
    }

    /// The definition of the kind, for the API server.
    #[must_use]
    pub fn definition() -> CustomResourceDefinition {
        Self::crd()
    }
}
