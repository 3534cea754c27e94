use super::*;
use rstest::rstest;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    expected: Vec<Expected>,
    input: Vec<String>,
    note: String,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Expected {
    scheme: String,
    params: BTreeMap<String, String>,
}

fn parsed(lines: &[String]) -> Vec<Expected> {
    let challenges = sorted(lines.iter().map(String::as_bytes)).into_iter();
    let expected = challenges.map(|challenge| Expected {
        scheme: format!("{:?}", challenge.scheme).to_lowercase(),
        params: challenge.params,
    });
    expected.collect()
}

#[test]
fn reads_the_rows_of_the_case_file() {
    let text = include_str!("../../../tests/fixtures/cases/www_authenticate.json");
    let rows: Vec<Row> = serde_json::from_str(text).unwrap();
    assert!(rows.len() >= 18);
    for row in rows {
        assert_eq!(
            parsed(&row.input),
            row.expected,
            "{}: {:?}",
            row.note,
            row.input
        );
    }
}

#[rstest]
#[case::unknown_scheme("Negotiate realm=\"x\"", &[])]
#[case::leading_space(" Bearer realm=\"x\"", &[])]
#[case::any_case("bEARER Realm=\"x\"", &[("realm", "x")])]
#[case::comma_in_quotes("Bearer scope=\"a:pull,push\",realm=\"x\"", &[("scope", "a:pull,push"), ("realm", "x")])]
#[case::last_of_two_wins("Bearer realm=\"x\",realm=\"y\"", &[("realm", "y")])]
#[case::escape_at_the_end("Bearer realm=\"x\\", &[("realm", "")])]
#[case::no_comma("Bearer realm=\"x\" service=\"y\"", &[("realm", "x")])]
fn reads_what_containerd_reads(#[case] line: &str, #[case] params: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> = params
        .iter()
        .map(|(k, v)| ((*k).into(), (*v).into()))
        .collect();
    let found = sorted([line.as_bytes()].into_iter());
    let read = found.first().map(|c| c.params.clone()).unwrap_or_default();
    assert_eq!(read, expected);
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    let found = sorted([b"Bearer realm=\"\xff\"".as_slice()].into_iter());
    assert_eq!(found[0].params["realm"], "\u{fffd}");
}

proptest::proptest! {
    #[test]
    fn never_panics(line: Vec<u8>) {
        let _ = challenge(&line);
    }
}
