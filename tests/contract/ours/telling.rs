//! Rules about what people are told: warnings, audit annotations, and what is not for telling.

use std::collections::BTreeSet;

use serde_json::Value;

use super::registry::{ALICE, auth};
use super::{Answered, Rule, want};

// Facts of the API server's: a qualified name's name part (validation), and the webhook's own name in front of it.
const LONGEST_NAME: usize = 63;
// Design §2.5.
const LONGEST_WARNING: usize = 200;
const MOST_WARNINGS: usize = 10;

pub const RULES: &[Rule] = &[
    ("at most ten warnings (warnbig, warn4096)", |a| {
        let found = warnings(a).len();
        want(found <= MOST_WARNINGS, || found.to_string())
    }),
    ("a warning is one to 200 characters (warn, warnbig)", |a| {
        let found = warnings(a);
        let sound = |line: &String| (1..=LONGEST_WARNING).contains(&line.chars().count());
        want(found.iter().all(sound), || format!("{found:#?}"))
    }),
    ("a warning is printable (warnctl)", |a| {
        let found = warnings(a);
        let hidden = |c: char| {
            c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c)
        };
        want(!found.iter().any(|line| line.contains(hidden)), || {
            format!("{found:#?}")
        })
    }),
    ("no warning twice (warn)", |a| {
        let found = warnings(a);
        let distinct: BTreeSet<_> = found.iter().collect();
        want(distinct.len() == found.len(), || format!("{found:#?}"))
    }),
    ("warnings are a list of texts", |a| {
        let list = &a.response()["warnings"];
        let texts = list
            .as_array()
            .is_some_and(|all| all.iter().all(Value::is_string));
        want(list.is_null() || texts, || list.to_string())
    }),
    (
        "nothing is put in the status of what is allowed (allowstatus)",
        |a| {
            want(!a.allowed() || a.response()["status"].is_null(), || {
                a.response().to_string()
            })
        },
    ),
    (
        "audit annotations have qualified names behind the webhook's and are texts (audit)",
        annotations,
    ),
    ("no credential is told", |a| {
        let text = a.reply.text() + &String::from_utf8_lossy(&a.patch().unwrap_or_default());
        let told = [ALICE.1, &auth()]
            .iter()
            .any(|secret| text.contains(*secret));
        want(!told, || text)
    }),
    ("a denial's message is one printable text", |a| {
        let message = a.response()["status"]["message"]
            .as_str()
            .unwrap_or_default();
        want(!message.contains(char::is_control), || message.to_owned())
    }),
];

fn warnings(a: &Answered) -> Vec<String> {
    let list = a.response()["warnings"].as_array().into_iter().flatten();
    list.filter_map(|line| line.as_str().map(str::to_owned))
        .collect()
}

fn annotations(a: &Answered) -> Result<(), String> {
    let all = &a.response()["auditAnnotations"];
    let qualified = |key: &str| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inside = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        key.len() <= LONGEST_NAME
            && ends(key.chars().next())
            && ends(key.chars().next_back())
            && key.chars().all(inside)
    };
    let mut members = all.as_object().into_iter().flatten();
    let sound = members.all(|(key, value)| qualified(key) && value.is_string());
    want((all.is_null() || all.is_object()) && sound, || {
        all.to_string()
    })
}
