//! Results as the KRM functions specification has them (kustomize, `functions-spec.md`).

use anyhow::{Context as _, anyhow};
use serde::Serialize;

use crate::{
    cli::pin::report::{Finding, Level},
    domain::{
        policy::{Policy, Verdict},
        yaml::{View, Yaml, edit},
    },
};

/// One result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome<'y> {
    message: String,
    pub(super) severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_ref: Option<Object<'y>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Field<'y>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File<'y>>,
}

/// How much a result matters; an error fails the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Info,
    Warning,
    Error,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'y> {
    api_version: &'y str,
    kind: &'y str,
    name: &'y str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'y str,
}

#[derive(Debug, Serialize)]
struct Field<'y> {
    path: &'y str,
}

#[derive(Debug, Serialize)]
struct File<'y> {
    path: &'y str,
    index: u64,
}

/// The result that tells of a finding in the list `root`.
pub(super) fn of<'y>(root: View<'y, '_>, finding: &'y Finding, policy: &Policy) -> Outcome<'y> {
    let found = item(root, &finding.path);
    Outcome {
        message: finding.sentence(),
        severity: severity(finding, policy),
        resource_ref: found.map(|(item, _)| object(item)),
        field: found.map(|(_, path)| Field { path }),
        file: found.and_then(|(item, _)| file(item)),
    }
}

/// What the policy would deny at admission is an error here.
fn severity(finding: &Finding, policy: &Policy) -> Severity {
    let verdict = finding.cause.map(|cause| policy.on_failure.verdict(cause));
    match finding.level {
        Level::Error => Severity::Error,
        _ if verdict == Some(Verdict::Deny) => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Note => Severity::Info,
    }
}

/// The item that a path begins with, and the rest of the path.
fn item<'y, 't, 'p>(root: View<'y, 't>, path: &'p str) -> Option<(View<'y, 't>, &'p str)> {
    let (index, rest) = path.strip_prefix("items[")?.split_once(']')?;
    let item = root.get("items")?.items().nth(index.parse().ok()?)?;
    Some((item, rest.trim_start_matches('.')))
}

fn object<'y>(item: View<'y, '_>) -> Object<'y> {
    let text = |path: &[&str]| item.at(path).and_then(View::string).unwrap_or_default();
    Object {
        api_version: text(&["apiVersion"]),
        kind: text(&["kind"]),
        name: text(&["metadata", "name"]),
        namespace: text(&["metadata", "namespace"]),
    }
}

fn file<'y>(item: View<'y, '_>) -> Option<File<'y>> {
    let annotation = |name: &str| {
        let keys = ["internal.config.kubernetes.io", "config.kubernetes.io"]
            .map(|prefix| format!("{prefix}/{name}"));
        let mut found = keys
            .iter()
            .filter_map(|key| item.at(&["metadata", "annotations", key]));
        found.next().and_then(View::scalar)
    };
    let index = annotation("index").and_then(|index| index.parse().ok());
    Some(File {
        path: annotation("path")?,
        index: index.unwrap_or(0),
    })
}

/// The list `text` with results behind those that it has.
///
/// # Errors
/// If there is no place for them.
pub(super) fn added(text: &str, results: &[Outcome<'_>]) -> anyhow::Result<String> {
    if results.is_empty() {
        return Ok(text.to_owned());
    }
    let values: Vec<_> = results
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()?;
    let yaml = Yaml::read(text).map_err(|error| anyhow!("the changed list is no YAML: {error}"))?;
    let root = yaml
        .documents()
        .next()
        .context("the changed list is empty")?;
    let last = root.get("results").and_then(|found| found.items().last());
    let edit = match last {
        Some(last) => edit::add_items(root, last, &values),
        None => edit::add_list(root, "results", &values),
    };
    let edit =
        edit.context("the results cannot be written; is there a results key that is no list?")?;
    edit::apply(text, vec![edit]).map_err(|error| anyhow!("the results cannot be written: {error}"))
}
