use proptest::prelude::*;
use rstest::rstest;

use super::read;
use crate::domain::yaml::{View, Yaml, reading};

/// Every node with all that is known of it, in the order of the text.
fn shown(yaml: &Yaml<'_>) -> Vec<String> {
    fn walk(view: View<'_, '_>, depth: usize, lines: &mut Vec<String>) {
        let kinds = (view.is_mapping(), view.is_sequence(), view.is_flow());
        let scalar = (view.scalar(), view.string(), view.style());
        lines.push(format!(
            "{depth} {kinds:?} {scalar:?} {:?} {:?}",
            view.span(),
            view.place()
        ));
        for item in view.items() {
            walk(item, depth + 1, lines);
        }
        for (key, value) in view.entries() {
            walk(key, depth + 1, lines);
            walk(value, depth + 1, lines);
        }
    }
    let mut lines = Vec::new();
    for root in yaml.documents() {
        walk(root, 0, &mut lines);
    }
    lines
}

/// Whether a text is simple. If it is, the full parser has read the same.
fn is_simple(text: &str) -> bool {
    let Some(simple) = read(text) else {
        return false;
    };
    let full = reading::read(text).unwrap_or_else(|error| panic!("{text}\nis no YAML: {error}"));
    assert_eq!(shown(&simple), shown(&full), "{text}");
    true
}

const MANIFEST: &str = r#"# a Deployment
apiVersion: apps/v1
kind: Deployment # of apps
metadata:
  name: web
  labels: {app: web, 'team': "a b", n: [1, {x: -y}], e: {}, "j":1}
spec:
  empty:
  template:
    spec:
      containers:
      - name: app   

        image: "r/A:1"
        args:
        - --flag
        - 'it is'
        # between
      -
        image: r.example:5000/b@sha256:0
      -   name: c
---
---
kind: List
items:
  - a: b#c
    d:
  - - e
    - f
"#;

#[rstest]
#[case::nothing("")]
#[case::comments("# a\n\n  # b\n")]
#[case::marks("---\n--- # c\n---\n")]
#[case::no_line_end("a: b")]
#[case::null("a:\nb: ~\nc: # c\n")]
#[case::scalars("a: 'x' # c\nb: \"y\"\nc: 1.5\nd: a:b c#d\n")]
#[case::below("a:\n  b\nc:\n    'd'\n")]
#[case::indented("a:\n  - b\n  -   c: d\n      e: f\n")]
#[case::not_indented("a:\n- b\n- c: d\n  e:\n  - f\ng: h\n")]
#[case::dash_alone("-\n  a: b\n-\n  - c\n")]
#[case::dashes("- - a\n  - b\n- c\n")]
#[case::flow("a: {b: c, \"d\":e, 'f': [g, {}, []]} # h\nb: [ x , -y ]\n")]
#[case::image_in_flow("{image: r.example:5000/a:1@sha256:0, b: c}\n")]
#[case::merge("a: {<<: b}\n<<: {c: d}\n")]
fn simple_texts(#[case] text: &str) {
    assert!(is_simple(text), "{text}");
}

#[rstest]
#[case::not_ascii("a: ü\n")]
#[case::windows("a: b\r\n")]
#[case::tab("a:\tb\n")]
#[case::anchor("a: &b c\n")]
#[case::alias("a: *b\n")]
#[case::tag("a: !!str b\n")]
#[case::block("a: |\n  b\n")]
#[case::escape("a: \"\\n\"\n")]
#[case::quote_in_quotes("a: 'it''s'\n")]
#[case::two_lines("a: b\n  c\n")]
#[case::two_lines_in_braces("a: {b: c,\n  d: e}\n")]
#[case::question("? a\n: b\n")]
#[case::directive("%YAML 1.2\n---\na: b\n")]
#[case::end_mark("a: b\n...\n")]
#[case::behind_a_mark("--- a: b\n")]
#[case::wrong_indent("a:\n    b: c\n  d: e\n")]
#[case::not_closed("a: {b: c\n")]
#[case::two_colons("a: b: c\n")]
#[case::two_roots("a: b\n- c\n")]
#[case::text_behind_quotes("a: 'b' c\n")]
#[case::template("a: {{ .Values.b }}\n")]
fn other_texts(#[case] text: &str) {
    assert!(read(text).is_none(), "{text}");
}

#[test]
fn a_manifest_is_simple() {
    assert!(is_simple(MANIFEST));
}

#[test]
fn deep_nesting_is_left_to_the_full_parser() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(is_simple(&nested(64)));
    assert!(read(&nested(65)).is_none());
    let dashes = format!("{}a\n", "- ".repeat(100_000));
    assert!(read(&dashes).is_none());
}

/// What texts are put together of, and changed with.
const PIECES: [&str; 46] = [
    "a",
    "b: ",
    "c:",
    ":",
    ": ",
    "- ",
    "-",
    "--",
    "---",
    "---\n",
    "\n",
    "\n  ",
    "\n    ",
    "\n- ",
    " ",
    "  ",
    "#",
    " # c",
    "'",
    "\"",
    "'x'",
    "\"y\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ", ",
    "{a: b}",
    "[c, d]",
    "{}",
    "[]",
    "?",
    "? ",
    "|",
    ">",
    "&",
    "*",
    "!",
    "%",
    "@",
    "~",
    "...",
    "\\",
    "key: value\n",
    "image: r/a:1\n",
];

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PIECES.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_simple_is_read_alike_if_put_together_of_anything(pieces in prop::collection::vec(piece(), 0..24)) {
        is_simple(&pieces.concat());
    }

    #[test]
    fn what_is_simple_is_read_alike_if_a_manifest_is_changed(
        changes in prop::collection::vec((0..MANIFEST.len(), 0_usize..4, piece()), 1..4)
    ) {
        let mut text = MANIFEST.to_owned();
        for (at, length, piece) in changes {
            let at = at.min(text.len());
            text.replace_range(at..(at + length).min(text.len()), piece);
        }
        is_simple(&text);
    }
}
