use rstest::rstest;

use super::*;

fn manifest(name: &str, content: &[u8]) -> SecretManifest {
    SecretManifest::new(name, None, Zeroizing::new(content.to_vec()))
}

#[test]
fn a_manifest_with_a_namespace() {
    let content = docker_config_json("ghcr.io", "bot", b"ghp_x", "");
    let manifest = SecretManifest::new("regcred", Some("shop"), content);
    assert_eq!(
        manifest.json().as_str(),
        r#"{
    "kind": "Secret",
    "apiVersion": "v1",
    "metadata": {
        "name": "regcred",
        "namespace": "shop",
        "creationTimestamp": null
    },
    "data": {
        ".dockerconfigjson": "eyJhdXRocyI6eyJnaGNyLmlvIjp7InVzZXJuYW1lIjoiYm90IiwicGFzc3dvcmQiOiJnaHBfeCIsImF1dGgiOiJZbTkwT21kb2NGOTQifX19"
    },
    "type": "kubernetes.io/dockerconfigjson"
}
"#
    );
    assert!(
        manifest
            .yaml()
            .contains("\n  name: regcred\n  namespace: shop\ntype: ")
    );
}

#[test]
fn debug_shows_no_content() {
    let shown = format!("{:?}", manifest("regcred", b"hunter2"));
    assert!(
        shown.contains("regcred") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn bytes_that_are_no_text_stay_what_they_are_in_the_auth() {
    let json = docker_config_json("x", "a", b"p\xff\xe2\x82", "");
    assert_eq!(
        std::str::from_utf8(&json).unwrap(),
        r#"{"auths":{"x":{"username":"a","password":"p\ufffd\ufffd\ufffd","auth":"YTpw/+KC"}}}"#
    );
}

#[rstest]
#[case::control("\u{1}\u{8}\u{c}\u{7f}", "\"\\u0001\\b\\f\u{7f}\"")]
#[case::html("<&>", r#""\u003c\u0026\u003e""#)]
#[case::line_ends("\u{2028}\u{2029}\r\n\t", r#""\u2028\u2029\r\n\t""#)]
#[case::others("é/\"\\", r#""é/\"\\""#)]
fn a_string_is_written_as_go_writes_it(#[case] text: &str, #[case] expected: &str) {
    let mut json = String::new();
    quote(text.as_bytes(), &mut json);
    assert_eq!(json, expected);
}

/// The names as kubectl 1.36 printed them.
#[rstest]
#[case::plain(&["regcred", "a.b", "1e", "nan", "inf", "0x", "1-", "0.0.0", "e1", "0b2", "0o8", "1.2.3", "1.5e", "_1",
    "2024-13-01", "2024-2-30", "2001-01-01t00.00", "0xfffffffffffffffff", "yES", "nO", "tRUE", "nULL", "eyJh="], false)]
#[case::words(&["y", "yes", "no", "on", "off", "n", "null", "true", "false", "Yes", "YES", "NO", "Y", "N", "TRUE",
    "Null"], true)]
#[case::numbers(&["1", "1.5", "0x1f", "0x_1f", "1e3", "0b1", "0o7", "017", "1_0", ".5", "12e03", "08", "00", "1.e3",
    "1_e3", "99999999999999999999", "1e+5", "1E+5", "+12", ".5e1", "5.", "12_", "1__2"], true)]
#[case::dates(&["2024-01-01", "2024-1-1"], true)]
#[case::nothing(&[""], true)]
fn a_text_is_quoted_where_yaml_would_take_it_for_something_else(
    #[case] texts: &[&str],
    #[case] quoted: bool,
) {
    for text in texts {
        assert_eq!(yaml_text(text).starts_with('"'), quoted, "{text}");
    }
}

#[test]
fn another_content_has_another_name() {
    let (one, other) = (
        manifest("n", b"{}").with_hash(),
        manifest("n", b"{ }").with_hash(),
    );
    assert_ne!(one.name(), other.name());
    assert!(one.name().len() == "n-".len() + 10, "{}", one.name());
}
