//! What each kind makes of its Secret.

use rstest::rstest;

use super::*;

const GOOGLE: &str = "https://oauth2.googleapis.com/token";
const ID: &str = "AKIAABCDEFGHIJKLMNOP";
const TEMPORARY: &str = "ASIAABCDEFGHIJKLMNOP";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL/+";
const ZERO: &str = "00000000-0000-0000-0000-000000000000";

/// `{"exp": 1893456000, "aud": "x.azurecr.io"}`: the first of January 2030.
const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE4OTM0NTYwMDAsImF1ZCI6InguYXp1cmVjci5pbyJ9.c2ln";

fn given(kind: Kind, spec: &'static str, keys: &[(&str, &str)]) -> Given {
    read(&wanted(kind, spec), keys).given.unwrap()
}

fn login(username: &str, password: &str) -> Given {
    given::login(username, password.as_bytes())
}

#[rstest]
#[case::ghcr(Kind::Ghcr, "", &[("username", "bot"), ("token", "t")], login("bot", "t"))]
#[case::hub(Kind::DockerHub, "", &[("username", "me@x.test"), ("password", "p")], login("me@x.test", "p"))]
#[case::acr(
    Kind::Acr,
    "host=x.azurecr.io",
    &[("username", "x"), ("password", "p"), ("loginServer", "x.azurecr.io")],
    login("x", "p")
)]
#[case::quay(Kind::Quay, "", &[("username", "org+bot"), ("token", "t")], login("org+bot", "t"))]
#[case::nothing_is_trimmed(
    Kind::Custom,
    "host=r.test",
    &[("username", "bot"), ("password", " p\n")],
    login("bot", " p\n")
)]
#[case::ambient(Kind::Ecr, "region=eu-west-1", &[], Given::AmbientAws)]
#[case::ambient_with_a_host(
    Kind::Ecr,
    "region=eu-west-1",
    &[("url", "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com")],
    Given::AmbientAws
)]
#[case::nobody(Kind::Public, "host=r.test", &[], Given::Nobody)]
fn a_secret_gives(
    #[case] kind: Kind,
    #[case] spec: &'static str,
    #[case] keys: &[(&str, &str)],
    #[case] expected: Given,
) {
    assert_eq!(given(kind, spec, keys), expected);
}

#[test]
fn keys_of_aws_are_given_as_they_are() {
    let keys = [
        ("accessKeyId", TEMPORARY),
        ("secretAccessKey", SECRET),
        ("sessionToken", "s"),
    ];
    let found = given(Kind::Ecr, "region=eu-west-1", &keys);
    let owned = |text: &str| Zeroizing::new(text.to_owned());
    let expected = Given::AwsKeys {
        access_key_id: owned(TEMPORARY),
        secret_access_key: owned(SECRET),
        session_token: Some(owned("s")),
    };
    assert_eq!(found, expected);
}

#[rstest]
#[case::whole(&[("accessKeyId", ID), ("secretAccessKey", SECRET)], &[])]
#[case::an_empty_session(
    &[("accessKeyId", ID), ("secretAccessKey", SECRET), ("sessionToken", "")],
    &["hint: key sessionToken of the Secret: empty, and so left out"]
)]
#[case::half(
    &[("accessKeyId", ID)],
    &["error: key secretAccessKey of the Secret: missing, there is accessKeyId: ECR takes"]
)]
#[case::names_of_the_environment(
    &[("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)],
    &[
        "error: key accessKeyId of the Secret: missing, there is AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: rename AWS_ACCESS_KEY_ID to accessKeyId",
        "error: key secretAccessKey of the Secret: missing, there is AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: rename AWS_SECRET_ACCESS_KEY to secretAccessKey",
        "hint: key AWS_ACCESS_KEY_ID of the Secret: not read",
        "hint: key AWS_SECRET_ACCESS_KEY of the Secret: not read",
    ]
)]
#[case::temporary(
    &[("accessKeyId", TEMPORARY), ("secretAccessKey", SECRET)],
    &["error: key sessionToken of the Secret: missing: the access key is a temporary one"]
)]
#[case::temporary_and_misspelt(
    &[("accessKeyId", TEMPORARY), ("secretAccessKey", SECRET), ("session_token", "s")],
    &[
        "error: key sessionToken of the Secret: missing",
        "hint: key session_token of the Secret: not read: rename it if sessionToken is meant",
    ]
)]
#[case::a_session_that_is_not_wanted(
    &[("accessKeyId", ID), ("secretAccessKey", SECRET), ("sessionToken", "s")],
    &["hint: key sessionToken of the Secret: goes with temporary keys"]
)]
#[case::places_changed(
    &[("accessKeyId", SECRET), ("secretAccessKey", ID)],
    &["hint: key accessKeyId of the Secret: accessKeyId and secretAccessKey look as if"]
)]
#[case::unlike(
    &[("accessKeyId", "AROAABCDEFGHIJKLMNOP"), ("secretAccessKey", "short")],
    &[
        "hint: key accessKeyId of the Secret: does not look like an access key id",
        "hint: key secretAccessKey of the Secret: does not look like a secret access key",
    ]
)]
#[case::a_line_break(
    &[("accessKeyId", "AKIAABCDEFGHIJKLMNOP\n"), ("secretAccessKey", SECRET)],
    &["error: key accessKeyId of the Secret: a line break or other white space"]
)]
#[case::another_region(
    &[
        ("accessKeyId", ID),
        ("secretAccessKey", SECRET),
        ("url", "https://123456789012.dkr.ecr.eu-west-2.amazonaws.com"),
    ],
    &["error: key url of the Secret: another host than that of the Registry"]
)]
fn keys_of_aws_are_checked(#[case] keys: &[(&str, &str)], #[case] expected: &[&str]) {
    hold(
        &told(&wanted(Kind::Ecr, "region=eu-west-1"), keys),
        expected,
    );
}

#[rstest]
#[case::whole("", GOOGLE, &[])]
#[case::at_the_older_host("", "https://accounts.google.com/o/oauth2/token", &[])]
#[case::elsewhere("", "https://evil.test/token", &["error: key serviceAccountKey of the Secret: the key's token_uri is not Google's"])]
#[case::elsewhere_in_a_query("", "https://evil.test?.googleapis.com", &["error: key serviceAccountKey of the Secret: the key's token_uri"])]
#[case::elsewhere_in_a_fragment("", "https://evil.test#.googleapis.com", &["error: key serviceAccountKey of the Secret: the key's token_uri"])]
#[case::elsewhere_behind_a_user("", "https://x.googleapis.com@evil.test/", &["error: key serviceAccountKey of the Secret: the key's token_uri"])]
#[case::elsewhere_before_a_backslash("", r"https://evil.test\\.googleapis.com", &["error: key serviceAccountKey of the Secret: the key's token_uri"])]
#[case::by_plain_http("", "http://oauth2.googleapis.com/token", &["error: key serviceAccountKey of the Secret: the key's token_uri"])]
#[case::in_another_case(r#""TOKEN_URI":"https://evil.test","#, GOOGLE, &["error: key serviceAccountKey of the Secret: the key's token_uri"])]
#[case::no_text(r#""Token_uri":["x"],"#, GOOGLE, &["error: key serviceAccountKey of the Secret: the key's token_uri"])]
fn a_key_that_would_be_sent_elsewhere_is_refused(
    #[case] more: &str,
    #[case] uri: &str,
    #[case] expected: &[&str],
) {
    let key = service_account(more, uri);
    for (kind, spec) in [(Kind::Gcr, ""), (Kind::Gar, "region=europe-west3")] {
        let keys = [("serviceAccountKey", key.as_str())];
        hold(&told(&wanted(kind, spec), &keys), expected);
    }
}

#[rstest]
#[case::no_json(
    "hunter2",
    "error: key serviceAccountKey of the Secret: the password is not the JSON"
)]
#[case::of_a_person(
    r#"{"type":"authorized_user"}"#,
    "error: key serviceAccountKey of the Secret: the key is not of type service_account"
)]
#[case::without_a_type(
    "{}",
    "error: key serviceAccountKey of the Secret: the key names no type"
)]
#[case::half(
    r#"{"type":"service_account"}"#,
    "hint: key serviceAccountKey of the Secret: the key has no project_id"
)]
fn a_key_of_google_is_checked(#[case] key: &str, #[case] expected: &str) {
    let keys = [("serviceAccountKey", key)];
    hold(
        &told(&wanted(Kind::Gcr, "host=eu.gcr.io"), &keys),
        &[expected],
    );
}

#[test]
fn a_key_of_google_is_the_password_as_it_is() {
    let key = service_account("\n  ", GOOGLE) + "\n";
    let keys = [("serviceAccountKey", key.as_str())];
    assert_eq!(given(Kind::Gcr, "", &keys), login("_json_key", &key));
    hold(&told(&wanted(Kind::Gcr, ""), &keys), &[]);
}

#[rstest]
#[case::github(
    Kind::Ghcr,
    "host=containers.corp.test",
    &[("username", "bot"), ("token", "github_pat_x")],
    "hint: key token of the Secret: a fine-grained token has no rights"
)]
#[case::robot(
    Kind::Quay,
    "host=registry.corp.test",
    &[("username", "org+robot"), ("token", "TOK")],
    "hint: key token of the Secret: the password does not look like a robot's token"
)]
#[case::azure_of_another(
    Kind::Acr,
    "host=y.azurecr.io",
    &[("username", ZERO), ("password", TOKEN)],
    "error: key password of the Secret: the refresh token is for another registry, not for y.azurecr.io"
)]
#[case::azure_short_lived(
    Kind::Acr,
    "host=x.azurecr.io",
    &[("username", ZERO), ("password", TOKEN)],
    "hint: key password of the Secret: a refresh token of ACR lasts about 3 hours"
)]
#[case::harbor(
    Kind::Custom,
    "host=harbor.corp.test",
    &[("username", "robot+ci"), ("password", "pw")],
    "hint: key username of the Secret: a robot of Harbor is robot$name"
)]
#[case::public(
    Kind::Public,
    "host=r.test",
    &[("token", "t")],
    "hint: key token of the Secret: not read: a Public registry is asked without a credential"
)]
fn a_login_is_checked(
    #[case] kind: Kind,
    #[case] spec: &'static str,
    #[case] keys: &[(&str, &str)],
    #[case] expected: &str,
) {
    hold(&told(&wanted(kind, spec), keys), &[expected]);
}

#[rstest]
#[case::a_token_that_says_so(
    Kind::Acr,
    "host=x.azurecr.io",
    login(ZERO, TOKEN),
    Some(1_893_456_000)
)]
#[case::a_password_of_ecr(
    Kind::Ecr,
    "account=123456789012, region=eu-west-1",
    login("AWS", "opaque"),
    Some(1_780_272_000 + 43_200)
)]
#[case::an_opaque_one(Kind::Ghcr, "", login("bot", "ghp_x"), None)]
#[case::a_role(
    Kind::Ecr,
    "account=123456789012, region=eu-west-1",
    Given::AmbientAws,
    None
)]
#[case::nobody(Kind::Public, "host=r.test", Given::Nobody, None)]
fn a_credential_ends(
    #[case] kind: Kind,
    #[case] spec: &'static str,
    #[case] given: Given,
    #[case] expected: Option<i64>,
) {
    let end = given.expires(&place(kind, spec), Some(now()));
    assert_eq!(end.map(Timestamp::as_second), expected);
}

#[rstest]
#[case::hub(Kind::DockerHub, "", login("bot", "dckr_pat_x"), true)]
#[case::one_owner_on_hub(Kind::DockerHub, "owner=acme", login("bot", "dckr_pat_x"), false)]
#[case::one_owner_in_the_path(
    Kind::DockerHub,
    "host=docker.io/acme",
    login("bot", "dckr_pat_x"),
    false
)]
#[case::an_organisation_on_hub(Kind::DockerHub, "", login("acme", "dckr_oat_x"), false)]
#[case::public_hub(Kind::Public, "host=index.docker.io", Given::Nobody, true)]
#[case::public_elsewhere(Kind::Public, "host=registry.k8s.io", Given::Nobody, false)]
#[case::ghcr(Kind::Ghcr, "", login("bot", "ghp_x"), false)]
#[case::ecr(Kind::Ecr, "region=eu-west-1", Given::AmbientAws, false)]
fn an_image_that_all_may_read_is_known(
    #[case] kind: Kind,
    #[case] spec: &'static str,
    #[case] given: Given,
    #[case] expected: bool,
) {
    let probe = wanted(kind, spec).default_probe(&given);
    let hello = Probe {
        repository: "library/hello-world",
        tag: "latest",
    };
    assert_eq!(probe, expected.then_some(hello));
}

#[test]
fn debug_shows_nothing_of_a_credential() {
    let keys = [("accessKeyId", ID), ("secretAccessKey", SECRET)];
    let shown = format!("{:?}", read(&wanted(Kind::Ecr, "region=eu-west-1"), &keys));
    assert_eq!(shown, "Reading { given: Ok(AwsKeys(…)), hints: [] }");
    assert_eq!(format!("{:?}", login("alice", "hunter2")), "Login(…)");
}
