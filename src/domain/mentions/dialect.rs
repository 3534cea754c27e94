//! What kind of file a text is.

use crate::domain::yaml::View;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Objects for the API server.
    Kubernetes,
    /// Values of a Helm chart.
    HelmValues,
    /// A kustomization, or a component.
    Kustomization,
    /// Services of Docker Compose.
    Compose,
}

// === impl Dialect ===

impl Dialect {
    /// By the name of the file and what stands in it. `named`: somebody named the file itself.
    #[must_use]
    pub fn of(file_name: Option<&str>, root: View<'_, '_>, named: bool) -> Option<Self> {
        if !root.is_mapping() {
            return None;
        }
        let name = file_name.map(str::to_ascii_lowercase);
        let stem = name.as_deref().map(stem).unwrap_or_default();
        let text = |key| root.get(key).and_then(View::string);
        let api = text("apiVersion").unwrap_or_default();
        if stem == "kustomization" || api.starts_with("kustomize.config.k8s.io/") {
            return Some(Self::Kustomization);
        }
        if !api.is_empty() && text("kind").is_some() {
            return Some(Self::Kubernetes);
        }
        if is_values(stem) {
            return Some(Self::HelmValues);
        }
        let has_services = root.get("services").is_some_and(View::is_mapping);
        if is_compose(stem) || (named && has_services) {
            return Some(Self::Compose);
        }
        named.then_some(Self::HelmValues)
    }
}

/// `values-dev.yaml` completes `values.yaml`.
pub(super) fn completes_values(file_name: &str) -> bool {
    let name = file_name.to_ascii_lowercase();
    let stem = stem(&name);
    stem != "values" && is_values(stem)
}

/// The name without `.yaml`, `.yml` or `.json`.
fn stem(name: &str) -> &str {
    let ends = [".yaml", ".yml", ".json"];
    let stem = ends.iter().find_map(|end| name.strip_suffix(end));
    stem.unwrap_or(name)
}

/// `values`, `values-dev`, `values.prod`, `dev-values`, `dev.values`.
fn is_values(stem: &str) -> bool {
    let is_cut = |rest: &str, cut: fn(&str) -> Option<char>| {
        cut(rest).is_none_or(|c| !c.is_ascii_alphanumeric())
    };
    let behind = stem.strip_prefix("values");
    let before = stem.strip_suffix("values");
    behind.is_some_and(|rest| is_cut(rest, |rest| rest.chars().next()))
        || before.is_some_and(|rest| is_cut(rest, |rest| rest.chars().next_back()))
}

/// `compose`, `docker-compose`, and both with more behind a dot or a dash.
fn is_compose(stem: &str) -> bool {
    let rest = stem
        .strip_prefix("docker-compose")
        .or_else(|| stem.strip_prefix("compose"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
}
