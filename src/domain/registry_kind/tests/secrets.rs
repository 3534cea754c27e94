//! The keys of a credential Secret, whatever they hold.

use rstest::rstest;

use super::*;

const PAT: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

#[rstest]
#[case::all_there(&[("username", "bot"), ("token", PAT)], &[])]
#[case::none(
    &[],
    &[
        "error: key username of the Secret: missing, and so are all others: GHCR takes username, token",
        "error: key token of the Secret: missing, and so are all others: GHCR takes username, token",
    ]
)]
#[case::another_name(
    &[("username", "bot"), ("password", PAT)],
    &[
        "error: key token of the Secret: missing, there is password, username: GHCR takes username, token",
        "hint: key password of the Secret: not read: GHCR takes username, token",
    ]
)]
#[case::a_misspelling(
    &[("username", "bot"), ("Token", PAT)],
    &[
        "error: key token of the Secret: missing, there is Token, username: rename Token to token",
        "hint: key Token of the Secret: not read: rename it if token is meant",
    ]
)]
#[case::a_misspelling_beside_the_right_one(
    &[("username", "bot"), ("token", PAT), ("tokn", "x")],
    &["hint: key tokn of the Secret: not read: it looks like token, which is there too"]
)]
#[case::empty(&[("username", ""), ("token", PAT)], &["error: key username of the Secret: empty"])]
#[case::a_line_break(
    &[("username", "bot"), ("token", "ghp_0123456789abcdefghijABCDEFGHIJ012345\n")],
    &["hint: key token of the Secret: the password ends with a line break"]
)]
#[case::a_colon(
    &[("username", "bot:hunter2"), ("token", PAT)],
    &["error: key username of the Secret: the user has a colon: the kubelet splits user and password at the first one, so that it would log in as another user"]
)]
#[case::the_host_again(&[("username", "bot"), ("token", PAT), ("url", "https://ghcr.io/acme")], &[])]
#[case::the_host_with_a_line_break(&[("username", "bot"), ("token", PAT), ("loginServer", "ghcr.io\n")], &[])]
#[case::no_host(&[("username", "bot"), ("token", PAT), ("loginServer", "")], &["hint: key loginServer of the Secret: empty"])]
#[case::another_host(
    &[("username", "bot"), ("token", PAT), ("url", "https://hunter2.test")],
    &["error: key url of the Secret: another host than ghcr.io"]
)]
#[case::what_is_no_host(
    &[("username", "bot"), ("token", PAT), ("url", "https://bot:hunter2@ghcr.io")],
    &["error: key url of the Secret: no host as images spell it"]
)]
fn a_secret_is_read(#[case] keys: &[(&str, &str)], #[case] expected: &[&str]) {
    hold(&told(&wanted(Kind::Ghcr, ""), keys), expected);
}

#[test]
fn many_keys_are_counted() {
    let names: Vec<String> = (0..11).map(|number| format!("k{number:02}")).collect();
    let keys: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let told = told(&wanted(Kind::Quay, ""), &keys);
    assert!(told[0].contains("k06, k07 and 3 more"), "{told:?}");
}

#[test]
fn a_token_is_text_and_a_password_may_be_none() {
    let bytes = |name: &str| {
        BTreeMap::from([
            ("username".to_owned(), Zeroizing::new(b"bot".to_vec())),
            (name.to_owned(), Zeroizing::new(vec![0xff, 0xfe, b'x', 0])),
        ])
    };
    let token = wanted(Kind::Ghcr, "").credential(&bytes("token"), now());
    let problem = token.given.unwrap_err()[0].to_string();
    assert!(
        problem.starts_with("key token of the Secret: not UTF-8"),
        "{problem}"
    );
    let password = wanted(Kind::Custom, "host=r.test").credential(&bytes("password"), now());
    assert_eq!(format!("{:?}", password.given), "Ok(Login(…))");
    let hint = password.hints[0].to_string();
    assert!(
        hint.starts_with("key password of the Secret: not UTF-8"),
        "{hint}"
    );
}

#[test]
fn a_hub_secret_may_name_hub_in_any_way() {
    for url in [
        "https://index.docker.io/v1/",
        "docker.io",
        "https://hub.docker.com",
    ] {
        let keys = [("username", "bot"), ("password", "pw"), ("url", url)];
        hold(&told(&wanted(Kind::DockerHub, ""), &keys), &[]);
    }
}

#[test]
fn a_host_is_compared_only_where_the_spec_has_one() {
    let keys = [
        ("username", "bot"),
        ("password", "pw"),
        ("loginServer", "r.test"),
    ];
    let acr = wanted(Kind::Acr, "");
    assert_eq!(acr.place().unwrap_err().about, Field::Host);
    hold(&told(&acr, &keys), &[]);
}

#[test]
fn no_text_repeats_a_part_of_a_value() {
    let values = [
        "hunter2secret",
        "hunter2secret\n",
        "hunter2secret:rest",
        " https://hunter2secret.test/x",
        "https://bot:hunter2secret@ghcr.io",
        r#"{"type":"hunter2secret","token_uri":"https://hunter2secret.test"}"#,
        r#"{"type":"service_account","client_email":"hunter2secret","token_uri":"https://hunter2secret.test"}"#,
        // {"aud":"hunter2secret.azurecr.io"}
        "eyJhbGciOiJub25lIn0.eyJhdWQiOiJodW50ZXIyc2VjcmV0LmF6dXJlY3IuaW8ifQ.c2ln",
        "ASIAHUNTER2SECRET",
    ];
    let names = [
        "username",
        "token",
        "password",
        "serviceAccountKey",
        "accessKeyId",
        "secretAccessKey",
        "sessionToken",
        "url",
        "loginServer",
    ];
    let zero = "00000000-0000-0000-0000-000000000000";
    for kind in EVERY_KIND {
        let mut registry = wanted(kind, "region=eu-west-1");
        registry.host = matches!(kind, Kind::Acr).then_some("x.azurecr.io");
        for value in values {
            let all: Vec<_> = names.iter().map(|name| (*name, value)).collect();
            let with_user = [("username", zero), ("password", value), ("token", value)];
            for keys in [all.as_slice(), &with_user] {
                let reading = read(&registry, keys);
                let shown = format!("{reading:?}").to_ascii_lowercase();
                assert!(!shown.contains("hunter2"), "{kind}: {shown}");
            }
        }
    }
}

#[test]
fn every_text_is_one_line() {
    let names = [
        "username",
        "token",
        "password",
        "serviceAccountKey",
        "accessKeyId",
        "url",
    ];
    for kind in EVERY_KIND {
        for value in ["", "a\nb", "\u{feff}x", "u:p"] {
            let keys: Vec<_> = names.iter().map(|name| (*name, value)).collect();
            for line in told(&wanted(kind, "region=eu-west-1"), &keys) {
                assert!(!line.contains(char::is_control), "{line:?}");
            }
        }
    }
}
