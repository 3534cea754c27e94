use rstest::rstest;

use super::*;

fn users(kind: SecretType, data: &str) -> Vec<(String, String)> {
    let user = |entry: Entry| {
        let user = String::from_utf8_lossy(entry.credential.username()).into_owned();
        (entry.server.to_string(), user)
    };
    let entries = read(kind, data.as_bytes()).unwrap();
    entries.into_iter().map(user).collect()
}

fn error(data: &str) -> DockerConfigError {
    read(SecretType::DockerConfigJson, data.as_bytes()).unwrap_err()
}

#[rstest]
#[case::auths_twice_are_merged(
    r#"{"auths":{"a":{"username":"1"}},"AUTHS":{"b":{"username":"2"}}}"#,
    &[("a", "1"), ("b", "2")]
)]
#[case::null_empties_auths(r#"{"auths":{"a":{"username":"1"}},"auths":null}"#, &[])]
#[case::an_entry_twice_starts_afresh(
    r#"{"auths":{"a":{"username":"1"},"a":{"password":"x"}}}"#,
    &[("a", "")]
)]
#[case::a_member_twice_is_overwritten(
    r#"{"auths":{"a":{"username":"1","Username":"2","USERNAME":null}}}"#,
    &[("a", "2")]
)]
#[case::auth_wins(r#"{"auths":{"a":{"auth":"MTp4","username":"2"}}}"#, &[("a", "1")])]
#[case::an_empty_auth_is_none(r#"{"auths":{"a":{"auth":"","username":"2"}}}"#, &[("a", "2")])]
#[case::a_key_that_is_no_url_is_dropped(r#"{"auths":{"a b":{},"c":{}}}"#, &[("c", "")])]
#[case::no_auths("{}", &[])]
#[case::null("null", &[])]
fn reads_config_json(#[case] data: &str, #[case] expected: &[(&str, &str)]) {
    let found = users(SecretType::DockerConfigJson, data);
    let found: Vec<_> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_older_format_has_no_auths() {
    let found = users(SecretType::DockerCfg, r#"{"auths":{"username":"1"}}"#);
    assert_eq!(found, [("auths".to_owned(), "1".to_owned())]);
}

#[rstest]
#[case::an_entry_fails_before_a_map(
    r#"{"HttpHeaders":5,"auths":{"a":{"auth":"cGFudHM="}}}"#,
    "unable to parse auth field, must be formatted as base64(username:password)"
)]
#[case::headers_count_too(
    r#"{"auths":{},"HttpHeaders":{"a":5}}"#,
    "json: cannot unmarshal number into Go struct field DockerConfigJSON.HttpHeaders of type string"
)]
#[case::auths_of_another_type(
    r#"{"auths":5}"#,
    "json: cannot unmarshal number into Go struct field DockerConfigJSON.auths of type credentialprovider.DockerConfig"
)]
#[case::an_array_is_no_document(
    "[]",
    "json: cannot unmarshal array into Go value of type credentialprovider.DockerConfigJSON"
)]
#[case::a_type_before_an_auth(
    r#"{"auths":{"a":{"email":{},"auth":"pants"}}}"#,
    "json: cannot unmarshal object into Go struct field dockerConfigEntryWithAuth.email of type string"
)]
fn fails_as_the_kubelet_does(#[case] data: &str, #[case] expected: &str) {
    assert_eq!(error(data).to_string(), expected);
}

#[rstest]
#[case::template_left_over("<YOUR_AUTH>", true)]
#[case::variable("${AUTH}", true)]
#[case::crosses("xxxxx", true)]
#[case::dots("dXNlcjpw...", true)]
#[case::mistyped("dXNlcjpwYXNz_w==", false)]
#[case::no_colon("cGFudHM=", false)]
fn hints_name_the_entry_but_not_the_value(#[case] auth: &str, #[case] placeholder: bool) {
    let data = format!(r#"{{"auths":{{"https://u:secret@ghcr.io/v2/":{{"auth":"{auth}"}}}}}}"#);
    let error = error(&data);
    let hint = error.hint().unwrap();
    let shown = format!("{hint} {error} {error:?}");
    assert_eq!(hint.contains("placeholder"), placeholder, "{hint}");
    assert!(hint.contains("ghcr.io"), "{hint}");
    assert!(
        !shown.contains("secret") && !shown.contains(auth),
        "{shown}"
    );
}

#[test]
fn a_syntax_error_needs_no_hint() {
    assert_eq!(error("{").hint(), None);
}
