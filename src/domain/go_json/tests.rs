use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case::nothing(b"", "unexpected end of JSON input")]
#[case::open_object(b"{", "unexpected end of JSON input")]
#[case::open_string(b"\"a", "unexpected end of JSON input")]
#[case::byte_order_mark(
    b"\xef\xbb\xbf{}",
    "invalid character 'ï' looking for beginning of value"
)]
#[case::trailing_data(b"{} x", "invalid character 'x' after top-level value")]
#[case::trailing_comma(
    b"{\"a\":1,}",
    "invalid character '}' looking for beginning of object key string"
)]
#[case::single_quotes(
    b"{'a':1}",
    r"invalid character '\'' looking for beginning of object key string"
)]
#[case::line_break_in_a_string(b"\"a\n\"", r"invalid character '\n' in string literal")]
#[case::unfinished_literal(b"tru", "invalid character ' ' in literal true (expecting 'e')")]
#[case::unfinished_number(b"1.", "invalid character ' ' after decimal point in numeric literal")]
#[case::leading_zero(b"01", "invalid character '1' after top-level value")]
#[case::unknown_escape(br#""\x""#, "invalid character 'x' in string escape code")]
#[case::short_unicode_escape(
    br#""\u12""#,
    r#"invalid character '"' in \u hexadecimal character escape"#
)]
#[case::delete(b"\x7f", r"invalid character '\x7f' looking for beginning of value")]
#[case::soft_hyphen(b"\xad", r"invalid character '\u00ad' looking for beginning of value")]
fn complains_as_go_does(#[case] document: &[u8], #[case] expected: &str) {
    assert_eq!(Value::parse(document).err().unwrap().to_string(), expected);
}

#[rstest]
#[case::at_the_limit(10_000, None)]
#[case::above(10_001, Some("invalid character '[' exceeded max depth"))]
fn limits_depth(#[case] depth: usize, #[case] expected: Option<&str>) {
    let document = "[".repeat(depth) + &"]".repeat(depth);
    let error = Value::parse(document.as_bytes()).err();
    assert_eq!(error.map(|e| e.to_string()).as_deref(), expected);
}

#[rstest]
#[case::escapes(br#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t")]
#[case::surrogate_pair(br#""\ud83d\uDE00""#, "😀")]
#[case::lone_surrogate(br#""\ud800""#, "\u{fffd}")]
#[case::two_high_surrogates(br#""\ud800\ud800""#, "\u{fffd}\u{fffd}")]
#[case::surrogate_and_letter(br#""\ud800\u0041""#, "\u{fffd}A")]
#[case::a_replacement_for_each_byte(b"\"\xe2\x82\"", "\u{fffd}\u{fffd}")]
fn reads_strings(#[case] document: &[u8], #[case] expected: &str) {
    assert_eq!(Value::parse(document).unwrap().text(), expected);
}

#[test]
fn walks_members() {
    let document = br#" { "a" : [1, {"b": "]}"}] , "a":"x,\"}" , "" : -1.5e3 } "#;
    let members: Vec<_> = Value::parse(document)
        .unwrap()
        .members()
        .map(|(name, value)| (name, value.kind(), value.text()))
        .collect();
    let expected = [
        ("a".into(), Kind::Array, String::new()),
        ("a".into(), Kind::String, "x,\"}".into()),
        (String::new(), Kind::Number, String::new()),
    ];
    assert_eq!(members, expected);
}

#[rstest]
#[case::itself("auths", true)]
#[case::upper_case("AUTHS", true)]
#[case::long_s("auth\u{17f}", true)]
#[case::another("auth", false)]
#[case::accent("äuths", false)]
fn folds_names(#[case] name: &str, #[case] expected: bool) {
    assert_eq!(names_field(name, "auths"), expected);
}

proptest! {
    #[test]
    fn what_serde_reads_is_read_alike(value in any::<Vec<(String, i64)>>()) {
        let document = serde_json::to_string(&value).unwrap();
        prop_assert!(Value::parse(document.as_bytes()).is_ok());
        for (text, _) in value {
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(Value::parse(quoted.as_bytes()).unwrap().text(), text);
        }
    }

    #[test]
    fn any_bytes_are_answered(document in "[\\[\\]{}\":,0-9eE.+tnulrsfa\\\\ -]{0,24}") {
        if let Ok(value) = Value::parse(document.as_bytes()) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok_and(
                |parsed| parsed.as_object().is_none_or(|o| o.len() <= value.members().count())
            ));
        }
    }
}
