//! What is told at the end: changes, findings, and files that could not be done.

use serde::Serialize;

use crate::{
    cli::exit::Exit,
    domain::{policy::Cause, yaml::Place},
};

/// An image whose text changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Change {
    /// The file, as it was named.
    pub(in crate::cli) file: String,
    /// The line, from 1.
    pub(in crate::cli) line: usize,
    /// The column, from 1, in characters.
    pub(in crate::cli) column: usize,
    /// Where in its document: `spec.containers[0].image`.
    pub(in crate::cli) path: String,
    /// The object, `Deployment/web`, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) object: Option<String>,
    /// The image as it was.
    pub(in crate::cli) from: String,
    /// The image as it is, or would be.
    pub(in crate::cli) to: String,
}

/// Something that somebody has to look at, or that was left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Finding {
    /// The file, as it was named.
    pub(in crate::cli) file: String,
    /// The line, from 1; absent where the file as a whole is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) line: Option<usize>,
    /// The column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) column: Option<usize>,
    /// Where in its document.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::cli) path: String,
    /// How much it matters.
    pub(in crate::cli) level: Level,
    /// Why an image could not be pinned: `invalid`, `notFound`, `unauthorized`, `unavailable`, `refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(in crate::cli) cause: Option<Cause>,
    /// What it is, and what to do.
    pub(in crate::cli) message: String,
    /// Tags that exist, where the one that is written does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::cli) suggestions: Vec<String>,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Level {
    /// It was left alone, for a reason.
    Note,
    /// An image could not be pinned.
    Warning,
    /// A file could not be done.
    Error,
}

/// All of it.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Report {
    /// Files that were looked at.
    pub(in crate::cli) files: usize,
    /// Images that were found in them.
    pub(in crate::cli) images: usize,
    /// The changes.
    pub(in crate::cli) changes: Vec<Change>,
    /// The findings.
    pub(in crate::cli) findings: Vec<Finding>,
}

// === impl Finding ===

impl Finding {
    /// What it is and what to do, with the suggestions.
    pub(in crate::cli) fn sentence(&self) -> String {
        if self.suggestions.is_empty() {
            return self.message.clone();
        }
        format!("{}; there is {}", self.message, self.suggestions.join(", "))
    }
}

// === impl Report ===

impl Report {
    /// A file that cannot be done.
    pub(in crate::cli) fn cannot(&mut self, file: &str, place: Option<Place>, message: String) {
        self.find(file, place, "", Level::Error, message);
    }

    /// A finding.
    pub(in crate::cli) fn find(
        &mut self,
        file: &str,
        place: Option<Place>,
        path: &str,
        level: Level,
        message: String,
    ) {
        self.findings.push(Finding {
            file: file.to_owned(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            path: path.to_owned(),
            level,
            cause: None,
            message,
            suggestions: Vec::new(),
        });
    }

    /// An image that could not be pinned.
    pub(in crate::cli) fn unpinned(
        &mut self,
        file: &str,
        place: Place,
        path: &str,
        cause: Cause,
        message: String,
    ) {
        self.find(file, Some(place), path, Level::Warning, message);
        if let Some(finding) = self.findings.last_mut() {
            finding.cause = Some(cause);
        }
    }

    /// What somebody may have meant whose image was just told of.
    pub(in crate::cli) fn suggest(&mut self, suggestions: Vec<String>) {
        if let Some(finding) = self.findings.last_mut() {
            finding.suggestions = suggestions;
        }
    }

    /// How the command ends; with `check`, a change is a finding.
    pub(in crate::cli) fn exit(&self, check: bool) -> Exit {
        let worst = self.findings.iter().map(|finding| finding.level).max();
        match worst {
            Some(Level::Error) => Exit::CouldNotRun,
            Some(Level::Warning) => Exit::Findings,
            _ if check && !self.changes.is_empty() => Exit::Findings,
            _ => Exit::Fine,
        }
    }
}
