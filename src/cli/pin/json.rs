//! One object with all changes and findings.

use super::report::Report;

pub(super) fn write(report: &Report) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}
