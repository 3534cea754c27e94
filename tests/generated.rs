//! Files that are made from the code equal what the code makes; `UPDATE=1` writes them.
#![expect(
    clippy::unwrap_used,
    reason = "a file that cannot be written fails the test"
)]

use std::{fs, path::Path};

use cotter::cli::{crd, docs};

#[test]
fn the_definitions_of_the_chart() {
    for (plural, definition) in crd::DEFINITIONS {
        holds(
            &format!("charts/cotter/crds-generated/{plural}.cotter.dev.yaml"),
            &crd::yaml(&definition()).unwrap(),
        );
    }
}

#[test]
fn the_page_of_the_command_line() {
    holds("docs/cli.md", &docs::page().unwrap());
}

fn holds(path: &str, made: &str) {
    let path = Path::new(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, made).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what the code makes; run UPDATE=1 cargo test --test generated",
        path.display()
    );
}
