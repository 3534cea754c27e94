//! What is wrong with the configuration: where, what, and what to write instead.

use std::fmt;

use serde_saphyr::{Error as YamlError, Location, Spanned};

/// A place in a file; `0:0` is the file as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
}

/// One thing that is wrong, with its remedy in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file; `None` for flags and for files that cannot be opened.
    pub place: Option<Place>,
    /// What is wrong and what to do, in one line.
    pub text: String,
}

/// All that is wrong with one source of configuration. Displayed as one line for each problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    source: String,
    problems: Vec<Problem>,
}

// === impl Place ===

impl Place {
    /// Where a value stands.
    pub(super) fn of<T>(value: &Spanned<T>) -> Self {
        Self::at(value.referenced)
    }

    fn at(location: Location) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
        }
    }
}

// === impl Problem ===

impl Problem {
    pub(super) fn at(place: Place, text: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            text: text.into(),
        }
    }

    pub(super) fn of_source(text: impl Into<String>) -> Self {
        Self {
            place: None,
            text: text.into(),
        }
    }

    /// What the YAML reader says, in the words of this floor.
    pub(super) fn of_yaml(error: &YamlError, text: &str) -> Self {
        let error = error.without_snippet();
        let said = explain(error);
        match error.location() {
            Some(location) if location != Location::UNKNOWN => {
                let place = Place::at(location);
                Self::at(place, with_key(text, place, said))
            }
            _ => Self::of_source(said),
        }
    }
}

fn explain(error: &YamlError) -> String {
    match error {
        YamlError::SerdeUnknownField {
            field, expected, ..
        } => {
            format!("unknown key {field:?}; accepted: {}", expected.join(", "))
        }
        YamlError::SerdeUnknownVariant {
            variant, expected, ..
        } => {
            format!(
                "unknown value {variant:?}; accepted: {}",
                expected.join(", ")
            )
        }
        YamlError::SerdeMissingField { field, .. } => format!("the key `{field}` is missing"),
        YamlError::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("of this mapping");
            format!("the key {key:?} is given twice; keep one of them")
        }
        YamlError::InvalidScalar { ty: "boolean", .. } | YamlError::InvalidBooleanStrict { .. } => {
            "not a switch; accepted: true, false".to_owned()
        }
        YamlError::InvalidScalar { .. } => {
            "not a number that fits here; write a whole number without a unit".to_owned()
        }
        YamlError::SerdeInvalidType {
            unexpected,
            expected,
            ..
        } => {
            format!("found {unexpected}, but this wants {expected}")
        }
        YamlError::Unexpected { expected, .. } => match *expected {
            "sequence start" => "a list belongs here, as in [a, b]".to_owned(),
            "mapping start" => "keys and values belong here, as in key: value".to_owned(),
            expected => format!("this wants {expected}"),
        },
        YamlError::MultipleDocuments { .. } => {
            "a second document starts here; keep one document in the file".to_owned()
        }
        other => other
            .render_with_formatter(&serde_saphyr::UserMessageFormatter)
            .lines()
            .next()
            .unwrap_or("not YAML")
            .to_owned(),
    }
}

/// Names the key in front of a value, where both stand on one line.
fn with_key(text: &str, place: Place, said: String) -> String {
    let line = usize::try_from(place.line).unwrap_or(0);
    let columns = usize::try_from(place.column).unwrap_or(0);
    let Some(line) = text.lines().nth(line.saturating_sub(1)) else {
        return said;
    };
    let before: String = line.chars().take(columns.saturating_sub(1)).collect();
    let Some(before) = before.trim_end().strip_suffix(':') else {
        return said;
    };
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match before.rsplit(|c| !is_key(c)).next() {
        Some(key) if !key.is_empty() => format!("{key}: {said}"),
        _ => said,
    }
}

// === impl ConfigError ===

impl ConfigError {
    /// The problems of `source`, a file's name or a flag.
    pub(super) fn new(source: impl Into<String>, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.place);
        Self {
            source: source.into(),
            problems,
        }
    }

    /// Problems that stand in no file.
    pub(super) fn of_flags(problems: Vec<String>) -> Self {
        let problems = problems.into_iter().map(Problem::of_source).collect();
        Self {
            source: String::new(),
            problems,
        }
    }

    /// The problems, in the order of the file.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Problem { place, text }) in self.problems.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            match place {
                Some(Place { line, column }) => {
                    write!(f, "{}:{line}:{column}: {text}", self.source)?;
                }
                None if self.source.is_empty() => f.write_str(text)?,
                None => write!(f, "{}: {text}", self.source)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
