//! Reading rows, naming them, and comparing them.

use std::{collections::HashSet, fmt, fs, path::Path};

use libtest_mimic::{Failed, Trial};
use serde::{Deserialize, de::DeserializeOwned};

/// One row; `input` and `expected` are the file's own.
#[derive(Deserialize)]
pub(crate) struct Row<I, E> {
    pub(crate) id: Option<String>,
    pub(crate) input: I,
    pub(crate) expected: E,
    #[serde(default)]
    pub(crate) note: String,
}

/// The rows of `tests/fixtures/cases/<file>.json`, each checked by `check` under the name that `name` gives it. A file
/// that cannot be read is one failing test.
pub(crate) fn trials<I, E>(
    file: &'static str,
    name: impl Fn(&Row<I, E>) -> String,
    check: fn(&Row<I, E>) -> Result<(), Failed>,
) -> Vec<Trial>
where
    Row<I, E>: DeserializeOwned + Send + 'static,
{
    let mut taken = HashSet::new();
    trials_of(file, file, |row: Row<I, E>| {
        let mut label = format!("{file}::{}", name(&row));
        while !taken.insert(label.clone()) {
            label.push('\'');
        }
        Trial::test(label, move || check(&row))
    })
}

/// The same for rows of another form, which `trial` checks; `module` is what reads them.
pub(crate) fn trials_of<R: DeserializeOwned>(
    module: &str,
    file: &str,
    trial: impl FnMut(R) -> Trial,
) -> Vec<Trial> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/cases")
        .join(file)
        .with_extension("json");
    let rows: Result<Vec<R>, Failed> = fs::read_to_string(&path)
        .map_err(Failed::from)
        .and_then(|text| serde_json::from_str(&text).map_err(Failed::from));
    match rows {
        Ok(rows) => rows.into_iter().map(trial).collect(),
        Err(error) => vec![Trial::test(format!("{module}::reads"), || Err(error))],
    }
}

/// `text` short enough for a test's name, without line breaks.
pub(crate) fn short(text: &str) -> String {
    let escaped: String = text.chars().flat_map(char::escape_debug).collect();
    match escaped.char_indices().nth(70) {
        Some((at, _)) => format!("{}…", escaped.split_at(at).0),
        None => escaped,
    }
}

/// Fails with both values and `what` they are.
pub(crate) fn equal<T: PartialEq + fmt::Debug + ?Sized>(
    what: &str,
    actual: &T,
    expected: &T,
) -> Result<(), Failed> {
    if actual == expected {
        Ok(())
    } else {
        Err(format!("{what}:\n  actual   {actual:?}\n  expected {expected:?}").into())
    }
}
