use rstest::rstest;

use super::*;
use crate::cli::credentials::helper::tests::put_program;

fn read(text: &str) -> anyhow::Result<DockerConfig> {
    DockerConfig::read("config.json".into(), text.as_bytes())
}

async fn ways(config: &str, image: &str) -> anyhow::Result<Vec<String>> {
    let ways = read(config)?.ways(&Reference::parse(image)?).await?;
    let shown = |way: &Way| match (&way.credential, way.user()) {
        (Some(credential), Some(user)) => {
            let password = String::from_utf8_lossy(credential.password());
            format!("{}: {user} {password}", way.origin)
        }
        _ => way.origin.to_string(),
    };
    Ok(ways.iter().map(shown).collect())
}

#[rstest]
#[case::no_file("", "ghcr.io/a/b", &[])]
#[case::another_host(r#"{"auths":{"quay.io":{"auth":"dTpw"}}}"#, "ghcr.io/a/b", &[])]
#[case::auth(r#"{"auths":{"ghcr.io":{"auth":"dTpw"}}}"#, "ghcr.io/a/b", &["Docker's configuration, key ghcr.io: u p"])]
#[case::hub_as_docker_keeps_it(
    r#"{"auths":{"https://index.docker.io/v1/":{"auth":"dTpw"}}}"#, "nginx",
    &["Docker's configuration, key https://index.docker.io/v1/: u p"])]
#[case::the_longer_path_first(
    r#"{"auths":{"ghcr.io":{"auth":"dTpw"},"ghcr.io/acme/":{"auth":"bjpx"}}}"#, "ghcr.io/acme/b",
    &["Docker's configuration, key ghcr.io/acme/: n q", "Docker's configuration, key ghcr.io: u p"])]
#[case::an_entry_that_only_lists_a_login(r#"{"auths":{"ghcr.io":{}}}"#, "ghcr.io/a/b", &[])]
#[case::an_identity_token_that_azure_takes(
    r#"{"auths":{"x.azurecr.io":{"auth":"MDA6","identitytoken":"tok"}}}"#, "x.azurecr.io/a",
    &["Docker's configuration, key x.azurecr.io: 00000000-0000-0000-0000-000000000000 tok"])]
#[case::a_password_beside_an_identity_token(
    r#"{"auths":{"r.test":{"auth":"dTpw","identitytoken":"tok"}}}"#, "r.test/a",
    &["Docker's configuration, key r.test: u p"])]
#[tokio::test]
async fn an_image_is_asked_for(
    #[case] config: &str,
    #[case] image: &str,
    #[case] before_anonymous: &[&str],
) {
    let expected = [before_anonymous, &["anonymous"]].concat();
    assert_eq!(ways(config, image).await.unwrap(), expected);
}

#[tokio::test]
async fn an_identity_token_alone_is_told_and_not_shown() {
    let config = r#"{"auths":{"r.test":{"identitytoken":"hunter2"}}}"#;
    let said = ways(config, "r.test/a").await.unwrap_err().to_string();
    assert!(
        said.contains("key r.test has only an identity token"),
        "{said}"
    );
    assert!(said.contains("cotter registry login r.test"), "{said}");
    let shown = format!("{said} {:?}", read(config).unwrap());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[rstest]
#[case::neither("{}", "ghcr.io", None)]
#[case::the_store(r#"{"credsStore":"pass"}"#, "ghcr.io", Some("docker-credential-pass"))]
#[case::its_own(
    r#"{"credsStore":"pass","credHelpers":{"ghcr.io":"gh"}}"#,
    "ghcr.io",
    Some("docker-credential-gh")
)]
#[case::none_of_its_own(
    r#"{"credsStore":"pass","credHelpers":{"ghcr.io":""}}"#,
    "ghcr.io",
    None
)]
#[case::hub_by_its_url(
    r#"{"credHelpers":{"https://index.docker.io/v1/":"hub"}}"#,
    "docker.io",
    Some("docker-credential-hub")
)]
#[case::hub_by_its_name(
    r#"{"credHelpers":{"docker.io":"hub"}}"#,
    "docker.io",
    Some("docker-credential-hub")
)]
#[case::members_in_any_case(r#"{"CREDSSTORE":"pass"}"#, "ghcr.io", Some("docker-credential-pass"))]
fn the_helper_is(#[case] config: &str, #[case] host: &str, #[case] program: Option<&str>) {
    let helper = read(config).unwrap().helper(host);
    assert_eq!(helper.as_ref().map(Helper::program), program);
}

#[rstest]
#[case::no_json(
    "{\n  \"auths\": }",
    "config.json:2:12: not JSON: expected value; correct it"
)]
#[case::no_base64(
    r#"{"auths":{"ghcr.io":{"auth":"hunter2!"}}}"#,
    "config.json: illegal base64 data at input byte 7; the auth of ghcr.io must be base64 of user:password"
)]
#[case::wrong_type(
    r#"{"auths":5}"#,
    "config.json: json: cannot unmarshal number into Go struct field DockerConfigJSON.auths of type \
     credentialprovider.DockerConfig; correct it, or log in again"
)]
#[case::a_path_for_a_helper(
    r#"{"credsStore":"../x"}"#,
    "config.json: credsStore names a program of some directory; only the end of its name belongs there"
)]
#[case::a_number_for_a_helper(
    r#"{"credHelpers":{"ghcr.io":5}}"#,
    "config.json: credHelpers is number, not the name of a helper"
)]
fn a_file_that_docker_would_not_read_is_named(#[case] config: &str, #[case] expected: &str) {
    let said = format!("{:#}", read(config).unwrap_err());
    assert!(said.starts_with(expected), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_directory_without_the_file_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let config = DockerConfig::open(Some(dir.path())).unwrap();
    assert_eq!(config.path(), dir.path().join("config.json"));
    assert_eq!(config.helper("ghcr.io"), None);
}

#[test]
fn a_file_in_the_place_of_the_directory_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.json");
    std::fs::write(&file, "{}").unwrap();
    let said = DockerConfig::open(Some(&file)).unwrap_err().to_string();
    assert!(
        said.contains("is a file; --docker-config names the directory"),
        "{said}"
    );
}

/// A configuration whose helper is this shell script, which counts how often it is asked.
fn with_helper(config: &str, script: &str) -> (DockerConfig, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("docker-credential-test");
    let script = format!("#!/bin/sh\ncat >> \"$0.asked\"; echo >> \"$0.asked\"\n{script}\n");
    put_program(&program, &script);
    let mut config = read(config).unwrap();
    config.store = Some(Helper::at(&program));
    (config, dir)
}

async fn users(config: &DockerConfig, image: &str) -> Vec<String> {
    let ways = config
        .ways(&Reference::parse(image).unwrap())
        .await
        .unwrap();
    ways.iter()
        .map(|way| way.user().unwrap_or_default())
        .collect()
}

const ANSWERS: &str = r#"echo '{"Username":"kept","Secret":"s"}'"#;

#[tokio::test]
async fn a_helper_is_asked_first_and_once_for_each_server() {
    let entry = r#"{"auths":{"ghcr.io":{},"ghcr.io/acme/":{"auth":"bjpx"}}}"#;
    let (config, dir) = with_helper(entry, ANSWERS);
    assert_eq!(users(&config, "ghcr.io/acme/app").await, ["kept", "n", ""]);
    assert_eq!(users(&config, "ghcr.io/other/app").await, ["kept", ""]);
    assert_eq!(users(&config, "nginx").await, ["kept", ""]);
    let asked = std::fs::read_to_string(dir.path().join("docker-credential-test.asked")).unwrap();
    assert_eq!(asked, "ghcr.io\nhttps://index.docker.io/v1/\n");
}

#[tokio::test]
async fn a_helper_that_has_nothing_leaves_it_to_the_file() {
    let nothing = "echo credentials not found in native keychain; exit 1";
    let (config, _dir) = with_helper(r#"{"auths":{"ghcr.io":{"auth":"bjpx"}}}"#, nothing);
    assert_eq!(users(&config, "ghcr.io/a/b").await, ["n", ""]);
}

#[tokio::test]
async fn a_helper_that_fails_is_an_error_though_the_file_has_a_login() {
    let (config, _dir) = with_helper(
        r#"{"auths":{"ghcr.io":{"auth":"bjpx"}}}"#,
        "echo locked; exit 1",
    );
    let image = Reference::parse("ghcr.io/a/b").unwrap();
    let said = config.ways(&image).await.unwrap_err().to_string();
    assert!(
        said.ends_with("docker-credential-test get failed: locked"),
        "{said}"
    );
}

#[tokio::test]
async fn an_identity_token_of_a_helper_is_one_of_the_file() {
    let (config, _dir) = with_helper("{}", r#"echo '{"Username":"<token>","Secret":"hunter2"}'"#);
    let zeros = "00000000-0000-0000-0000-000000000000";
    assert_eq!(users(&config, "x.azurecr.io/a").await, [zeros, ""]);
    let image = Reference::parse("r.test/a").unwrap();
    let said = config.ways(&image).await.unwrap_err().to_string();
    assert!(
        said.contains("has only an identity token for r.test") && !said.contains("hunter2"),
        "{said}"
    );
}
