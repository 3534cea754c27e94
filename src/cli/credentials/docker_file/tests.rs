use rstest::rstest;

use super::*;

/// An entry that stands for a login.
const ENTRY: &str = "{\"auth\": \"new\"}";

const DOCKERS: &str = "{\n\t\"auths\": {\n\t\t\"a.test\": {\n\t\t\t\"auth\": \"YTph\"\n\t\t},\n\t\t\"b.test\": {}\n\t},\n\t\"psFormat\": \"x\"\n}";

#[rstest]
#[case::nothing("", "{\n\t\"auths\": {\n\t\t\"r.test\": {\"auth\": \"new\"}\n\t}\n}\n")]
#[case::an_empty_object("{}", "{\n\t\"auths\": {\n\t\t\"r.test\": {\"auth\": \"new\"}\n\t}\n}")]
#[case::other_members(
    "{ \"psFormat\" : 1e0 }",
    "{\n\t\"auths\": {\n\t\t\"r.test\": {\"auth\": \"new\"}\n\t}, \"psFormat\" : 1e0 }"
)]
#[case::empty_auths(
    "{\"auths\":{}}",
    "{\"auths\":{\n\t\t\"r.test\": {\"auth\": \"new\"}\n}}"
)]
#[case::auths_that_are_null(
    "{\"auths\": null}",
    "{\"auths\": {\n\t\t\"r.test\": {\"auth\": \"new\"}\n\t}}"
)]
#[case::another_login(
    "{\"Auths\": {\"a\" : {} } }",
    "{\"Auths\": {\n\t\t\"r.test\": {\"auth\": \"new\"},\"a\" : {} } }"
)]
#[case::the_same_login(
    "{\"auths\": {\"r.test\" : { \"auth\":\"old\" }, \"z\": {}}, \"x\": [ ]}",
    "{\"auths\": {\"r.test\" : {\"auth\": \"new\"}, \"z\": {}}, \"x\": [ ]}"
)]
fn a_login_is_written_and_the_rest_stays(#[case] before: &str, #[case] after: &str) {
    let changed = with_login(before, "r.test", ENTRY).unwrap();
    assert_eq!(changed.as_str(), after);
    let read: serde_json::Value = serde_json::from_str(&changed).unwrap();
    let auths = read.get("auths").or(read.get("Auths")).unwrap();
    assert_eq!(auths["r.test"]["auth"], "new");
}

#[rstest]
#[case::the_first(
    "a.test",
    "{\n\t\"auths\": {\n\t\t\"b.test\": {}\n\t},\n\t\"psFormat\": \"x\"\n}"
)]
#[case::the_last(
    "b.test",
    "{\n\t\"auths\": {\n\t\t\"a.test\": {\n\t\t\t\"auth\": \"YTph\"\n\t\t}\n\t},\n\t\"psFormat\": \"x\"\n}"
)]
fn a_login_is_taken_out(#[case] server: &str, #[case] after: &str) {
    let changed = without_login(DOCKERS, server).unwrap();
    assert_eq!(changed.as_str(), after);
    serde_json::from_str::<serde_json::Value>(&changed).unwrap();
}

#[test]
fn the_only_login_leaves_an_empty_object() {
    let changed = without_login("{\"auths\":{ \"a\" : {} }}", "a").unwrap();
    assert_eq!(changed.as_str(), "{\"auths\":{ }}");
}

#[rstest]
#[case::nothing("")]
#[case::no_auths("{}")]
#[case::no_object("{\"auths\":null}")]
#[case::another("{\"auths\":{\"b\":{}}}")]
fn there_is_no_login_to_take_out(#[case] text: &str) {
    assert!(without_login(text, "a").is_none());
}

#[cfg(unix)]
#[test]
fn the_file_is_made_with_its_directory_for_its_owner_alone() {
    use std::os::unix::fs::MetadataExt as _;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".docker").join("config.json");
    let mut file = DockerFile::read(path.clone()).unwrap();
    file.set("r.test", ENTRY).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert!(file.remove("r.test").unwrap());
    assert!(!file.remove("r.test").unwrap());
}
