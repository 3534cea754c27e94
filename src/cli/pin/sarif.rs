//! SARIF 2.1.0 (OASIS), as code scanning reads it.

use serde_json::{Value, json};

use super::report::{Level, Report};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn write(report: &Report) -> serde_json::Result<String> {
    let changes = report.changes.iter().map(|change| {
        let said = format!("{} is not pinned; write {}", change.from, change.to);
        result(
            "unpinned",
            "error",
            &said,
            &change.file,
            Some((change.line, change.column)),
        )
    });
    let findings = report.findings.iter().map(|finding| {
        let (rule, level) = match finding.level {
            Level::Error => ("unreadable", "error"),
            Level::Warning => ("unresolved", "warning"),
            Level::Note => ("left-alone", "note"),
        };
        let place = finding.line.zip(finding.column);
        result(rule, level, &finding.sentence(), &finding.file, place)
    });
    let results: Vec<Value> = changes.chain(findings).collect();
    let rule = |id: &str, text: &str| json!({"id": id, "shortDescription": {"text": text}});
    let rules = [
        rule(
            "unpinned",
            "An image is written with a tag that may move, or not in canonical form",
        ),
        rule("unresolved", "An image cannot be pinned"),
        rule("unreadable", "A file cannot be done"),
        rule("left-alone", "An image or a file is left alone"),
    ];
    let driver = json!({"name": "cotter", "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    let log = json!({"$schema": SCHEMA, "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}]});
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn result(rule: &str, level: &str, said: &str, file: &str, place: Option<(usize, usize)>) -> Value {
    let artifact = json!({"uri": file});
    let location = match place {
        Some((line, column)) => {
            json!({"artifactLocation": artifact, "region": {"startLine": line, "startColumn": column}})
        }
        None => json!({"artifactLocation": artifact}),
    };
    json!({"ruleId": rule, "level": level, "message": {"text": said}, "locations": [{"physicalLocation": location}]})
}
