//! Changes of a text: what is not meant stays byte for byte.

use std::{fmt::Write as _, ops::Range};

use serde_json::Value;

use super::{View, view::is_other_type};

/// What is put in the place of some bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// Where the bytes begin, and where the new ones go.
    pub start: usize,
    /// Where they end; at the start for an insertion.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

/// Two edits that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one text is wanted in two spellings")]
pub struct Contradiction {
    /// Where the two meet, in bytes.
    pub at: usize,
}

// === impl Edit ===

impl Edit {
    pub(super) fn of(range: Range<usize>, text: String) -> Self {
        Self {
            start: range.start,
            end: range.end,
            text,
        }
    }
}

/// Adds `key` with a list of JSON values, which are YAML too, at the end of a mapping.
#[must_use]
pub fn add_list(mapping: View<'_, '_>, key: &str, values: &[Value]) -> Option<Edit> {
    let (name, last) = mapping.entries().last()?;
    if mapping.meant().is_flow() {
        let all = Value::from(values.to_vec());
        let member = format!(", {}: {all}", quoted(key)?);
        return Some(insert(last.span().end, member));
    }
    let indent = " ".repeat(name.place().column.saturating_sub(1));
    let items = each(&format!("\n{indent}- "), values);
    let text = format!("{indent}{key}:{items}\n");
    let source = mapping.text();
    let end = source.trim_end().len();
    let at = end + usize::from(source.get(end..).is_some_and(|rest| rest.starts_with('\n')));
    let before = if at == end { "\n" } else { "" };
    Some(insert(at, format!("{before}{text}")))
}

/// Adds JSON values behind the last item of a list.
#[must_use]
pub fn add_items(mapping: View<'_, '_>, last: View<'_, '_>, values: &[Value]) -> Option<Edit> {
    let end = last.span().end;
    let source = mapping.text();
    let list_is_flow = source
        .get(..last.span().start)?
        .trim_end()
        .ends_with(['[', ',']);
    if list_is_flow {
        return Some(insert(end, each(", ", values)));
    }
    let indent = " ".repeat(last.place().column.checked_sub(3)?);
    let end = source.get(..end)?.trim_end().len();
    Some(insert(end, each(&format!("\n{indent}- "), values)))
}

/// The values, each behind a mark.
fn each(mark: &str, values: &[Value]) -> String {
    let mut text = String::new();
    for value in values {
        let _ = write!(text, "{mark}{value}");
    }
    text
}

/// The text after all edits. Equal edits count once.
///
/// # Errors
/// [`Contradiction`] where two edits want different things of the same bytes.
pub fn apply(text: &str, mut edits: Vec<Edit>) -> Result<String, Contradiction> {
    edits.sort();
    edits.dedup();
    let mut changed = String::with_capacity(text.len() + edits.len() * 80);
    let mut done = 0;
    for edit in &edits {
        let at = edit.start;
        let kept = text.get(done..at).ok_or(Contradiction { at })?;
        changed.push_str(kept);
        changed.push_str(&edit.text);
        done = edit.end;
    }
    changed.push_str(text.get(done..).unwrap_or_default());
    Ok(changed)
}

pub(super) fn insert(at: usize, text: String) -> Edit {
    Edit::of(at..at, text)
}

/// Whether a value means itself without quotes, anywhere, also in braces.
fn is_plain(value: &str) -> bool {
    let is_safe =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@' | '+');
    let begins_safely =
        value.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/'));
    begins_safely && value.chars().all(is_safe) && !value.ends_with(':') && !is_other_type(value)
}

/// As it is where that means itself, or in double quotes; `None` for what would need an escape.
pub(super) fn plain_or_quoted(value: &str) -> Option<String> {
    if is_plain(value) {
        return Some(value.to_owned());
    }
    quoted(value)
}

/// In double quotes, as YAML and JSON read it; `None` for what would need an escape.
pub(super) fn quoted(value: &str) -> Option<String> {
    let needs_escape = |c: char| c.is_control() || matches!(c, '"' | '\\');
    (!value.contains(needs_escape)).then(|| format!("\"{value}\""))
}
