use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value;

use super::*;

/// Takes any value, and looks at nothing.
#[derive(Debug, Default, PartialEq)]
struct Anything;

impl<'a> Read<'a> for Anything {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        cursor.skip().map(|()| Self)
    }
}

#[rstest]
#[case::object(r#"{"a": [1, -2.5e+3, true, false, null, "x\"y\\"], "b": {}}"#)]
#[case::array("[]")]
#[case::text(r#""\u00e9é""#)]
#[case::number(" 12 ")]
#[case::white_space("\r\n\t [ 1 , 2 ] \n")]
#[case::deep(&format!("{}{}", "[".repeat(128), "]".repeat(128)))]
#[case::very_deep(&format!("{}\"]\"{}", "[".repeat(100_000), "]".repeat(100_000)))]
fn takes(#[case] text: &str) {
    assert_eq!(read(text), Ok(Anything));
}

#[rstest]
#[case::nothing("", "a value", 0)]
#[case::no_value("[1,]", "a value", 3)]
#[case::missing_comma("[1 2]", "a comma or the closing bracket", 3)]
#[case::other_bracket("[1}", "a comma or the closing bracket", 2)]
#[case::missing_colon(r#"{"a" 1}"#, "a colon", 5)]
#[case::key_that_is_no_string("{a: 1}", "a string", 1)]
#[case::open_string(r#"["a]"#, "the end of this string", 1)]
#[case::escape_at_the_end(r#"["a\"#, "the end of this string", 1)]
#[case::half_a_word("[tru]", "a value", 1)]
#[case::more_behind("{} x", "the end of the text", 3)]
#[case::very_deep_and_open(&"[".repeat(100_000), "the closing bracket", 100_000)]
fn refuses(#[case] text: &str, #[case] wanted: &'static str, #[case] at: usize) {
    assert_eq!(read::<Anything>(text), Err(JsonError { wanted, at }));
}

#[test]
fn null_is_the_default_and_other_shapes_are_refused() {
    assert_eq!(read::<Vec<bool>>("null"), Ok(Vec::new()));
    assert_eq!(read::<Option<bool>>("null"), Ok(None));
    assert_eq!(read::<Vec<bool>>("[true, null]"), Ok(vec![true, false]));
    assert!(read::<Vec<bool>>("{}").is_err());
    assert!(read::<Cow<'_, str>>("[]").is_err());
    assert!(read::<bool>(r#""true""#).is_err());
}

#[test]
fn texts_are_borrowed_unless_they_have_escapes() {
    assert!(matches!(read(r#""nginx""#), Ok(Cow::Borrowed("nginx"))));
    assert_eq!(
        read::<Cow<'_, str>>(r#""ngi\u006ex""#),
        Ok(Cow::Borrowed("nginx"))
    );
    assert!(read::<Cow<'_, str>>(r#""\x""#).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_writes_is_taken(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&value)
        } else {
            serde_json::to_string(&value)
        };
        prop_assert_eq!(read(&text.unwrap()), Ok(Anything));
    }

    #[test]
    fn what_serde_takes_is_taken(text in "[\\[\\]{},:\"a1 tfnul\\\\-]{0,24}") {
        if serde_json::from_str::<Value>(&text).is_ok() {
            prop_assert_eq!(read(&text), Ok(Anything));
        }
    }

    #[test]
    fn nothing_panics(text in any::<String>()) {
        let _ = read::<Anything>(&text);
        let _ = read::<Vec<Cow<'_, str>>>(&text);
    }
}

/// A type that holds itself.
#[derive(Debug, Default)]
struct Nested(#[expect(dead_code, reason = "only its depth matters")] Vec<Nested>);

impl<'a> Read<'a> for Nested {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, JsonError> {
        Vec::read(cursor).map(Self)
    }
}

#[test]
fn what_is_read_may_not_be_deep() {
    let error = read::<Nested>(&"[".repeat(100_000)).unwrap_err();
    assert_eq!(error.wanted, "less nesting");
}
