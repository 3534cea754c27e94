use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn a_file_keeps_its_mode_and_nothing_is_left_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o754)).unwrap();
    replace(&path, b"new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(mode(&path), 0o754);
    assert_eq!(names(dir.path()), ["f"]);
}

#[test]
fn a_new_file_has_the_mode_that_any_new_file_has() {
    let dir = tempfile::tempdir().unwrap();
    let (path, other) = (dir.path().join("f"), dir.path().join("g"));
    replace(&path, b"new").unwrap();
    fs::write(&other, "").unwrap();
    assert_eq!(mode(&path), mode(&other));
}

#[test]
fn a_private_file_is_its_owners_alone_whatever_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    replace_private(&path, b"a").unwrap();
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    replace_private(&path, b"b").unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_symbolic_link_stays_one_and_its_target_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let far = dir.path().join("far");
    fs::create_dir(&far).unwrap();
    fs::write(far.join("f"), "old").unwrap();
    symlink("f", far.join("g")).unwrap();
    let link = dir.path().join("link");
    symlink("far/g", &link).unwrap();
    replace(&link, b"new").unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(fs::symlink_metadata(far.join("g")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(far.join("f")).unwrap(), "new");
}

#[test]
fn links_in_a_circle_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("link");
    symlink("link", &link).unwrap();
    let error = replace(&link, b"new").unwrap_err();
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

#[test]
fn what_cannot_be_put_in_place_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("d");
    fs::create_dir(&path).unwrap();
    let error = replace(&path, b"new").unwrap_err();
    assert!(format!("{:#}", anyhow::Error::new(error)).ends_with("it is no regular file"));
    let error = replace(&dir.path().join("nowhere").join("f"), b"new").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("/nowhere/f cannot be written; check"),
        "{error}"
    );
    assert_eq!(names(dir.path()), ["d"]);
}

#[test]
fn a_name_that_an_earlier_run_left_behind_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let left = format!(".f.{}-0.tmp", std::process::id());
    fs::write(dir.path().join(&left), "half").unwrap();
    replace(&dir.path().join("f"), b"new").unwrap();
    assert_eq!(names(dir.path()), [left, "f".to_owned()]);
}

#[test]
fn the_owner_is_kept() {
    const SOMEBODY: u32 = 4711;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    fs::write(&path, "old").unwrap();
    if std::os::unix::fs::chown(&path, Some(SOMEBODY), Some(SOMEBODY)).is_err() {
        // Only root may give a file away.
        return;
    }
    replace(&path, b"new").unwrap();
    let now = fs::metadata(&path).unwrap();
    assert_eq!((now.uid(), now.gid()), (SOMEBODY, SOMEBODY));
}
