//! Reads the keys of a credential Secret. No text repeats any of their values.

use std::{collections::BTreeMap, str};

use zeroize::Zeroizing;

use super::{Field, Hint, Problem};
use crate::domain::nearest;

/// The keys that any kind takes: other places for the host.
pub(super) const HOSTS: [&str; 2] = ["loginServer", "url"];

/// How many keys of a Secret are told.
const MOST: usize = 8;

/// The keys of a Secret, and what was found wrong with them so far.
pub(super) struct Keys<'a> {
    data: &'a BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// The kind's own keys.
    own: &'static [&'static str],
    kind: &'static str,
    pub(super) problems: Vec<Problem>,
    pub(super) hints: Vec<Hint>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(
        kind: &'static str,
        own: &'static [&'static str],
        data: &'a BTreeMap<String, Zeroizing<Vec<u8>>>,
    ) -> Self {
        Self {
            data,
            own,
            kind,
            problems: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Whether the Secret holds nothing but other places for the host.
    pub(super) fn are_none(&self) -> bool {
        self.data.keys().all(|key| HOSTS.contains(&key.as_str()))
    }

    /// A key that has to be there, and not empty.
    pub(super) fn bytes(&mut self, name: &'static str) -> Option<&'a Zeroizing<Vec<u8>>> {
        match self.data.get(name) {
            None => self.missing(name),
            Some(value) if value.is_empty() => self.problem(name, "empty: write its value"),
            Some(value) => return Some(value),
        }
        None
    }

    /// As [`bytes`](Self::bytes), and it has to be text.
    pub(super) fn text(&mut self, name: &'static str) -> Option<&'a str> {
        let value = self.bytes(name)?;
        let text = str::from_utf8(value).ok();
        if text.is_none() {
            self.problem(
                name,
                "not UTF-8: write it as plain text (Windows may have made UTF-16 of it)",
            );
        }
        text
    }

    /// A key that may be missing or empty.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<&'a str> {
        match self.data.get(name) {
            None => None,
            Some(value) if value.is_empty() => {
                self.hint(name, "empty, and so left out");
                None
            }
            Some(_) => self.text(name),
        }
    }

    pub(super) fn problem(&mut self, name: &str, text: impl Into<String>) {
        self.problems
            .push(Problem::new(Field::Key(name.into()), text));
    }

    pub(super) fn hint(&mut self, name: &str, text: impl Into<String>) {
        self.hints.push(Hint::new(Field::Key(name.into()), text));
    }

    /// Hints for keys that nobody reads.
    pub(super) fn unread(&mut self) {
        let unread: Vec<&str> = self.unknown().collect();
        for key in unread {
            let meant = self.meant(key);
            let text = match meant {
                Some(meant) if self.data.contains_key(meant) => {
                    format!("not read: it looks like {meant}, which is there too")
                }
                Some(meant) => format!("not read: rename it if {meant} is meant"),
                None if self.own.is_empty() => {
                    let kind = self.kind;
                    format!("not read: a {kind} registry is asked without a credential")
                }
                None => format!("not read: {}", self.takes()),
            };
            self.hint(key, text);
        }
    }

    fn missing(&mut self, name: &'static str) {
        let there = if self.data.is_empty() {
            "and so are all others".to_owned()
        } else {
            let there = self.data.keys().map(String::as_str);
            format!("there is {}", listed(there))
        };
        let misspelt = self.unknown().find(|key| self.meant(key) == Some(name));
        let remedy = match misspelt {
            Some(key) => format!("rename {key} to {name}"),
            None => self.takes(),
        };
        self.problem(name, format!("missing, {there}: {remedy}"));
    }

    /// The keys that the kind has.
    fn takes(&self) -> String {
        format!("{} takes {}", self.kind, listed(self.own.iter().copied()))
    }

    fn unknown(&self) -> impl Iterator<Item = &'a str> {
        let own = self.own;
        let is_unknown = move |key: &&str| !own.contains(key) && !HOSTS.contains(key);
        self.data.keys().map(String::as_str).filter(is_unknown)
    }

    /// The key that an unknown one seems to be a misspelling of.
    fn meant(&self, key: &str) -> Option<&'static str> {
        nearest::misspelt(key, self.own).or_else(|| nearest::misspelt(key, &HOSTS))
    }
}

/// Names one after another, the first few.
fn listed<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let more = names.len().saturating_sub(MOST);
    let list = names.take(MOST).collect::<Vec<_>>().join(", ");
    if more == 0 {
        list
    } else {
        format!("{list} and {more} more")
    }
}
