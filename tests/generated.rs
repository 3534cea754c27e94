//! Files that are made from the code equal what the code makes; `UPDATE=1` writes them.

use std::{fs, path::Path};

use cotter::cli::crd;

#[test]
fn the_definitions_of_the_chart() {
    let path = Path::new("charts/cotter/crds-generated/revisionpins.cotter.dev.yaml");
    let made = crd::definitions().unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &made).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == made,
        "{} is not what the code makes; run UPDATE=1 cargo test --test generated",
        path.display()
    );
}
