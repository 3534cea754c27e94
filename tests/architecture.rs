//! Keeps the floors apart: fails when a module imports one it may not, when the
//! domain does IO, or when a file outgrows its budget.
#![expect(
    clippy::unwrap_used,
    reason = "a source file that cannot be read fails the test"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Each floor and the floors it may import. A floor may always import itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("telemetry", &[]),
    ("api", &["domain"]),
    ("admission", &["domain", "telemetry"]),
    ("registry", &["domain", "admission", "telemetry"]),
    (
        "cluster",
        &["domain", "admission", "api", "tls", "telemetry"],
    ),
    ("cloud", &["domain", "registry", "telemetry"]),
    ("registry_admission", &["domain", "api", "telemetry"]),
    (
        "controller",
        &["domain", "api", "cloud", "registry", "telemetry"],
    ),
    ("tls", &["telemetry"]),
    ("http", &["admission", "registry_admission", "telemetry"]),
    ("config", &["domain"]),
    (
        "cli",
        &[
            "domain",
            "api",
            "admission",
            "registry",
            "cloud",
            "cluster",
            "tls",
            "telemetry",
            "config",
        ],
    ),
    (
        "app",
        &[
            "domain",
            "api",
            "admission",
            "registry",
            "cloud",
            "cluster",
            "controller",
            "registry_admission",
            "tls",
            "http",
            "telemetry",
            "config",
            "cli",
        ],
    ),
    ("main", &[]),
    ("lib", &["app", "cli", "config"]),
];

/// What the domain may never name: no IO, no clock, no async, no logging.
const IMPURE: &[&str] = &[
    "async fn",
    ".await",
    "tokio",
    "reqwest",
    "hyper",
    "axum",
    "kube::",
    "tracing",
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "SystemTime::now",
    "Instant::now",
    "rand::",
];

const MAX_LINES: usize = 400;

#[test]
fn floors_import_only_what_they_may() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let floor = floor_of(&path);
        let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == floor) else {
            broken.push(format!(
                "{}: `{floor}` has no row in FLOORS",
                path.display()
            ));
            continue;
        };
        for target in crate_paths(&text) {
            if target != floor && !allowed.contains(&target.as_str()) {
                broken.push(format!(
                    "{}: {floor} may not import {target}",
                    path.display()
                ));
            }
        }
        if code_of(&text).contains("super::super") {
            broken.push(format!(
                "{}: write crate::…, not super::super",
                path.display()
            ));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn domain_is_pure() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        if floor_of(&path) != "domain" {
            continue;
        }
        let code = code_of(&text);
        for word in IMPURE.iter().filter(|word| code.contains(**word)) {
            broken.push(format!("{}: `{word}`", path.display()));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn files_stay_small() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{}: {lines} lines", path.display());
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let (mut found, mut dirs) = (Vec::new(), vec![PathBuf::from("src")]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "no sources: wrong working directory");
    found
}

/// `src/registry/token.rs` is on floor `registry`, `src/app.rs` on floor `app`.
fn floor_of(path: &Path) -> String {
    let first = path.strip_prefix("src").unwrap().iter().next().unwrap();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The source without line comments, so prose may name any module.
fn code_of(text: &str) -> String {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// The floors named by `crate::a::b` and `use crate::{a, b::{c, d}}`.
fn crate_paths(text: &str) -> BTreeSet<String> {
    let mut floors = BTreeSet::new();
    for path in code_of(text).split("crate::").skip(1) {
        let Some(group) = path.strip_prefix('{') else {
            floors.insert(leading_ident(path));
            continue;
        };
        let (mut depth, mut item) = (0, String::new());
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                '}' => break,
                ',' if depth == 0 => {
                    floors.insert(leading_ident(&std::mem::take(&mut item)));
                }
                _ if depth == 0 => item.push(c),
                _ => {}
            }
        }
        floors.insert(leading_ident(&item));
    }
    floors.remove("");
    floors
}

fn leading_ident(path: &str) -> String {
    let is_ident = |c: &char| c.is_alphanumeric() || *c == '_';
    path.trim_start().chars().take_while(is_ident).collect()
}
