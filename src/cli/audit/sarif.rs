//! SARIF 2.1.0 (OASIS). A cluster has no files, so places are logical ones: `shop/Deployment/web/app`. Code scanning takes
//! nothing without a file, and is given the object as one.

use std::{borrow::Cow, io};

use serde::Serialize;

use super::report::{Finding, FindingKind, Report};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    invocations: [Invocation<'a>; 1],
    column_kind: &'static str,
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text<'static>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    level: &'static str,
    message: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    rule_id: &'static str,
    level: &'static str,
    message: Text<'a>,
    locations: [Location; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: Cow<'a, str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    logical_locations: [LogicalLocation; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

/// Writes the findings.
pub(super) fn write(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let rule = |kind: &FindingKind| Rule {
        id: kind.as_str(),
        short_description: Text {
            text: kind.text().into(),
        },
    };
    let notification = |message: &'_ String| Notification {
        level: "error",
        message: Text {
            text: message.clone().into(),
        },
    };
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "cotter",
                    version: env!("CARGO_PKG_VERSION"),
                    rules: FindingKind::ALL.iter().map(rule).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: report.unchecked.is_empty(),
                tool_execution_notifications: report
                    .unchecked
                    .iter()
                    .map(|one| notification(&one.message))
                    .collect(),
            }],
            column_kind: "unicodeCodePoints",
            results: report.findings.iter().map(outcome).collect(),
        }],
    };
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

fn outcome(finding: &Finding) -> Outcome<'_> {
    let text = match &finding.image {
        Some(image) => format!("{image}: {}", finding.message).into(),
        None => Cow::from(&finding.message),
    };
    Outcome {
        rule_id: finding.kind.as_str(),
        level: level(finding.kind),
        message: Text { text },
        locations: [Location {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation {
                    uri: name(finding, None),
                },
            },
            logical_locations: [LogicalLocation {
                fully_qualified_name: name(finding, finding.slot.as_deref()),
                kind: "resource",
            }],
        }],
    }
}

fn level(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Unpinned | FindingKind::Drifted => "warning",
        FindingKind::UnusedSecret => "note",
        FindingKind::Unresolved
        | FindingKind::MissingSecret
        | FindingKind::BrokenSecret
        | FindingKind::ExpiredSecret
        | FindingKind::UpperCase => "error",
    }
}

/// The names from the namespace down to the slot, which are DNS labels and so fit into a URI.
fn name(finding: &Finding, slot: Option<&str>) -> String {
    let secret = finding
        .secret
        .as_ref()
        .map(|secret| format!("Secret/{secret}"));
    let parts = [
        Some(finding.namespace.as_str()),
        finding.workload.as_deref(),
        slot,
        secret.as_deref(),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}
