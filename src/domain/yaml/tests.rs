use std::fmt::Write as _;

use rstest::rstest;

use super::{Spot, Style, View, Yaml, edit};

/// The text after `value` was written where the path leads.
fn rewritten(text: &str, path: &[&str], value: &str) -> String {
    let yaml = Yaml::read(text).unwrap();
    let root = yaml.documents().next().unwrap();
    let scalar = root.at(path).unwrap();
    let spot = Spot::of(scalar).unwrap();
    edit::apply(text, vec![spot.write(value).unwrap()]).unwrap()
}

#[rstest]
#[case::plain("a: {} # c\nb: 1\n", "x:1", "y:2@sha256:0")]
#[case::single("a: '{}'\n", "x:1", "y:2")]
#[case::double("a: \"{}\"   \n", "x:1", "y:2")]
#[case::literal("a: |\n  {}\nb: 1\n", "x:1", "y:2")]
#[case::folded_and_stripped("a: >-\n    {}\n\nb: 1\n", "x:1", "y:2")]
#[case::flow("{b: 1, a: {}, c: [2]}\n", "x:1", "y:2")]
#[case::flow_over_lines("{\n  a: {},\n}\n", "x:1", "y:2")]
#[case::json("{\"a\":\"{}\",\"b\":[1]}", "x:1", "y:2")]
#[case::json_with_an_emoji("{\"b\":\"\\ud83d\\ude00 é😀\",\"a\":\"{}\"}", "x:1", "y:2")]
#[case::windows_lines("b: 1\r\na: {}\r\nc: 2\r\n", "x:1", "y:2")]
#[case::windows_literal("a: |\r\n  {}\r\nc: 2\r\n", "x:1", "y:2")]
#[case::byte_order_mark("\u{feff}a: {}\n", "x:1", "y:2")]
#[case::not_ascii("ü: 😀 ä\na: {} # 😀\n", "x:1", "y:2")]
#[case::tab_before_a_comment("a: {}\t# tab\t\n", "x:1", "y:2")]
#[case::tagged("a: !!str {}\n", "x:1", "y:2")]
#[case::anchored("a: &i {}\nb: *i\n", "x:1", "y:2")]
#[case::tagged_and_anchored("a: &i !!str '{}'\n", "x:1", "y:2")]
#[case::no_line_end("a: {}", "x:1", "y:2")]
#[case::document_marks("%YAML 1.2\n---\na: {}\n...\n", "x:1", "y:2")]
#[case::on_the_next_line("a:\n  {}\n", "x:1", "y:2")]
#[case::question_mark("? a\n: {}\n", "x:1", "y:2")]
fn only_the_scalar_changes(#[case] around: &str, #[case] before: &str, #[case] after: &str) {
    let text = around.replace("{}", before);
    let changed = rewritten(&text, &["a"], after);
    assert_eq!(changed, around.replace("{}", after));
}

#[rstest]
#[case::number("20240101", "a: \"20240101\"\n")]
#[case::float_that_looks_like_a_sha("12e4567", "a: \"12e4567\"\n")]
#[case::truth("on", "a: \"on\"\n")]
#[case::octal("0o17", "a: \"0o17\"\n")]
#[case::bracket("[::1]:5000/a:b", "a: \"[::1]:5000/a:b\"\n")]
#[case::sha("c6cd88e", "a: c6cd88e\n")]
#[case::digest("@sha256:0", "a: \"@sha256:0\"\n")]
fn quotes_come_where_a_plain_text_would_be_read_as_something_else(
    #[case] value: &str,
    #[case] expected: &str,
) {
    assert_eq!(rewritten("a: x\n", &["a"], value), expected);
}

#[test]
fn an_alias_is_written_where_it_is_named() {
    let text = "base: &i x:1\na: *i\n";
    assert_eq!(rewritten(text, &["a"], "y:2"), "base: &i y:2\na: *i\n");
}

#[rstest]
#[case::merged("b: &b {i: 1}\na: {<<: *b}\n", Some("1"))]
#[case::own_wins("b: &b {i: 1}\na: {i: 2, <<: *b}\n", Some("2"))]
#[case::own_wins_behind("b: &b {i: 1}\na: {<<: *b, i: 2}\n", Some("2"))]
#[case::list("b: &b {i: 1}\nc: &c {i: 3}\na: {<<: [*c, *b]}\n", Some("3"))]
#[case::through_two("b: &b {i: 1}\nc: &c {<<: *b}\na: {<<: *c}\n", Some("1"))]
#[case::twice("a: {i: 1, i: 2}\n", Some("2"))]
#[case::none("a: {j: 1}\n", None)]
#[case::no_mapping("a: [1]\n", None)]
fn keys_are_found(#[case] text: &str, #[case] expected: Option<&str>) {
    let yaml = Yaml::read(text).unwrap();
    let root = yaml.documents().next().unwrap();
    let found = root.at(&["a", "i"]).and_then(View::scalar);
    assert_eq!(found, expected);
}

#[rstest]
#[case::text("a", Some("a"))]
#[case::quoted_number("'1'", Some("1"))]
#[case::tagged_number("!!str 1", Some("1"))]
#[case::number("1.10", None)]
#[case::hex("0x1f", None)]
#[case::truth("Yes", None)]
#[case::nothing("~", None)]
#[case::version("1.2.3", Some("1.2.3"))]
#[case::date("2024-01-01", Some("2024-01-01"))]
#[case::sequence("[a]", None)]
fn strings_are_told_from_other_values(#[case] value: &str, #[case] expected: Option<&str>) {
    let text = format!("a: {value}\n");
    let yaml = Yaml::read(&text).unwrap();
    let root = yaml.documents().next().unwrap();
    assert_eq!(root.get("a").unwrap().string(), expected);
}

#[test]
fn documents_are_counted_without_the_empty_ones() {
    let yaml = Yaml::read("---\n---\na: 1\n---\n# nothing\n---\n- b\n").unwrap();
    let kinds: Vec<_> = yaml
        .documents()
        .map(|root| (root.is_mapping(), root.place().line))
        .collect();
    assert_eq!(kinds, [(true, 3), (false, 7)]);
}

#[rstest]
#[case::half("a: [1,\n", 1, 4)]
#[case::bad_indentation("a: 1\n b: 2\n", 2, 3)]
#[case::unknown_alias("a: *x\n", 1, 4)]
#[case::template("a: {{ .Values.a }}:{{ .b }}\n", 1, 19)]
fn a_mistake_has_a_place(#[case] text: &str, #[case] line: usize, #[case] column: usize) {
    let error = Yaml::read(text).unwrap_err();
    assert_eq!(
        (error.place.line, error.place.column),
        (line, column),
        "{error}"
    );
}

#[test]
fn deep_nesting_is_a_mistake_and_no_overflow() {
    for open in ["[", "{a: ", "- "] {
        let text = open.repeat(100_000);
        assert!(Yaml::read(&text).is_err(), "{open}");
    }
}

#[test]
fn aliases_stay_as_small_as_they_are_written() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..60 {
        let before = level - 1;
        let _ = writeln!(
            text,
            "a{level}: &a{level} [*a{before}, *a{before}, *a{before}]"
        );
    }
    let yaml = Yaml::read(&text).unwrap();
    assert!(yaml.nodes.len() < 500);
}

#[test]
fn an_alias_inside_of_what_it_names_is_a_mistake_or_harmless() {
    if let Ok(yaml) = Yaml::read("a: &a {b: *a}\n") {
        let root = yaml.documents().next().unwrap();
        assert!(root.at(&["a", "b", "b", "b"]).is_some_and(View::is_mapping));
    }
}

#[test]
fn edits_that_contradict_each_other_are_refused() {
    let edit = |text: &str| edit::Edit {
        start: 3,
        end: 4,
        text: text.to_owned(),
    };
    assert!(edit::apply("a: b\n", vec![edit("c"), edit("d")]).is_err());
    assert_eq!(
        edit::apply("a: b\n", vec![edit("c"), edit("c")]).unwrap(),
        "a: c\n"
    );
}

#[test]
fn a_block_scalar_whose_value_is_folded_cannot_be_written() {
    let yaml = Yaml::read("a: >\n  x\n  y\n").unwrap();
    let root = yaml.documents().next().unwrap();
    let scalar = root.get("a").unwrap();
    assert_eq!(scalar.style(), Some(Style::Block));
    assert_eq!(Spot::of(scalar).unwrap().write("z"), None);
}
