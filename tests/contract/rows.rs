//! The rows of the fixtures, and what happens to them where the parts are missing.

use std::path::Path;

use libtest_mimic::{Completion, Failed};
use serde::Deserialize;
use serde_json::Value;

use crate::seen::Seen;
use crate::support::control_plane::NEEDS;
use crate::support::parts;

/// How the rows of one kind of name are replayed; the first table entry that a row's name starts with counts.
pub type Scenario = (&'static str, fn(&Row) -> Seen);

#[derive(Deserialize)]
pub struct Row {
    input: Input,
    expected: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    Hook { hook: String },
    Case { case: String },
}

/// A fixture of `tests/fixtures/cases`.
pub fn fixture<T: for<'a> Deserialize<'a>>(name: &str) -> Vec<T> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases");
    let text = std::fs::read_to_string(folder.join(name)).expect("a fixture");
    serde_json::from_str(&text).expect("rows")
}

impl Row {
    pub fn contract() -> Vec<Self> {
        fixture("webhook_contract.json")
    }

    pub fn title(&self) -> String {
        match &self.input {
            Input::Hook { hook } => format!("hook: {hook}"),
            Input::Case { case } => format!("case: {case}"),
        }
    }

    pub fn hook(&self) -> Option<&str> {
        match &self.input {
            Input::Hook { hook } => Some(hook),
            Input::Case { .. } => None,
        }
    }

    pub fn case(&self) -> &str {
        match &self.input {
            Input::Hook { .. } => "",
            Input::Case { case } => case,
        }
    }

    /// What stands in the name behind this beginning.
    pub fn rest(&self, beginning: &str) -> &str {
        self.case().strip_prefix(beginning).expect("a beginning")
    }

    pub fn expected(&self) -> &Value {
        &self.expected
    }

    /// Whether it waits for a timeout.
    pub fn is_long(&self) -> bool {
        let seconds = |value: &Value| value["seconds"].as_f64().unwrap_or_default();
        let of = &self.expected;
        seconds(of).max(seconds(&of["Fail"])) >= 1.0
    }

    /// The name of the Pod that the row speaks of.
    pub fn pod(&self) -> &str {
        let reviewed = self.expected["review_seen"][0]["name"].as_str();
        let named = || {
            let message = self.expected["message"].as_str()?;
            let rest = message.split_once("od \"").or(message.split_once("ods \""));
            rest?.1.split('"').next()
        };
        reviewed.or_else(named).unwrap_or("p")
    }
}

/// Replays, or says why not; with `CI=true` missing parts are a failure.
pub fn with_parts(replay: impl FnOnce()) -> Result<Completion, Failed> {
    let missing: Vec<_> = NEEDS
        .into_iter()
        .filter(|part| parts::find(part).is_none())
        .collect();
    if missing.is_empty() {
        replay();
        return Ok(Completion::Completed);
    }
    let reason = format!("needs {}; run make parts", missing.join(", "));
    if std::env::var_os("CI").is_some_and(|value| value == "true") {
        return Err(reason.into());
    }
    Ok(Completion::ignored_with(reason))
}
