//! `--from-docker-config`: from the file, from an entry of it, from a credential helper.

use std::path::Path;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rstest::rstest;
use serde_json::Value;

use crate::{
    home::{COTTER, Home},
    support::command::Outcome,
};

fn content(manifest: &str) -> String {
    let manifest: Value = serde_json::from_str(manifest).unwrap();
    let coded = manifest["data"][".dockerconfigjson"].as_str().unwrap();
    String::from_utf8(BASE64_STANDARD.decode(coded).unwrap()).unwrap()
}

const CONFIG: &str =
    r#"{"auths":{"r.test":{"auth":"Ym90OmdocF94"},"ghcr.io":{}},"credHelpers":{"ghcr.io":"test"}}"#;

const KEPT: &str = r#"{"ServerURL":"ghcr.io","Username":"bot","Secret":"ghp_x"}"#;

#[rstest]
#[case::an_entry(
    "r.test",
    r#"{"auths":{"r.test":{"username":"bot","password":"ghp_x","auth":"Ym90OmdocF94"}}}"#
)]
#[case::of_a_helper(
    "ghcr.io",
    r#"{"auths":{"ghcr.io":{"username":"bot","password":"ghp_x","auth":"Ym90OmdocF94"}}}"#
)]
#[case::of_a_helper_for_a_path(
    "ghcr.io/acme/",
    r#"{"auths":{"ghcr.io/acme/":{"username":"bot","password":"ghp_x","auth":"Ym90OmdocF94"}}}"#
)]
fn the_login_of_one_registry(#[case] server: &str, #[case] expected: &str) {
    let home = Home::with_helper();
    home.write(".docker/config.json", CONFIG);
    home.write("kept/ghcr.io", KEPT);
    let args = [
        "pull-secret",
        "--from-docker-config",
        "--server",
        server,
        "-o",
        "json",
    ];
    assert_eq!(content(&home.cotter(&args, "").ok()), expected);
}

#[test]
fn a_registry_without_a_login_is_told_with_what_to_do() {
    let home = Home::with_helper();
    home.write(".docker/config.json", CONFIG);
    let args = ["pull-secret", "--from-docker-config", "--server", "ghcr.io"];
    let Outcome {
        code,
        stdout,
        stderr,
    } = home.cotter(&args, "");
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(
        stderr.contains(".docker/config.json has no login for ghcr.io; log in with"),
        "{stderr}"
    );
}

#[rstest]
#[case::a_helper_that_is_missing(
    "nowhere",
    "docker-credential-nowhere is not on the PATH; install it"
)]
#[case::a_helper_that_fails(
    "locked",
    "docker-credential-locked get failed: the keychain is locked"
)]
fn a_helper_that_does_not_help_is_told(#[case] helper: &str, #[case] said: &str) {
    let home = Home::new();
    home.program(
        "docker-credential-locked",
        "#!/bin/sh\necho the keychain is locked >&2; exit 1\n",
    );
    home.write(
        ".docker/config.json",
        format!("{{\"credsStore\":\"{helper}\"}}"),
    );
    let args = ["pull-secret", "--from-docker-config", "--server", "ghcr.io"];
    let Outcome { code, stderr, .. } = home.cotter(&args, "");
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains(said), "{stderr}");
}

#[rstest]
#[case::no_json("nope", "the kubelet cannot read this")]
#[case::auths_of_another_type(r#"{"auths":5}"#, "the kubelet cannot read this")]
#[case::no_password(
    r#"{"auths":{"ghcr.io":{}},"credsStore":"test"}"#,
    "there is no password in it"
)]
#[case::one_without(
    r#"{"auths":{"ghcr.io":{},"r.test":{"auth":"dTpw"}}}"#,
    "ghcr.io: no password, so that the kubelet pulls anonymously"
)]
fn a_file_as_it_is_with_what_the_kubelet_makes_of_it(#[case] file: &str, #[case] said: &str) {
    let home = Home::new();
    let path = home.write("config.json", file);
    let args = ["pull-secret", "--from-docker-config", &path, "-o", "json"];
    let Outcome {
        code,
        stdout,
        stderr,
    } = home.cotter(&args, "");
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(content(&stdout), file);
    assert!(stderr.contains(said), "{stderr}");
}

#[test]
fn an_empty_variable_names_no_directory() {
    let home = Home::new();
    let file = r#"{"auths":{"r.test":{"auth":"dTpw"}}}"#;
    home.write(".docker/config.json", file);
    let line = format!("DOCKER_CONFIG= {COTTER} pull-secret --from-docker-config -o json");
    let outcome = home.run(Path::new("sh"), &["-c", &line], b"");
    assert_eq!(content(&outcome.ok()), file);
}

#[test]
fn the_directory_of_dockers_configuration_is_a_flag() {
    let home = Home::new();
    let path = home.write(
        "elsewhere/config.json",
        r#"{"auths":{"r.test":{"auth":"dTpw"}}}"#,
    );
    let dir = path.strip_suffix("/config.json").unwrap();
    let args = [
        "pull-secret",
        "--from-docker-config",
        "--docker-config",
        dir,
        "-o",
        "json",
    ];
    assert_eq!(
        content(&home.cotter(&args, "").ok()),
        r#"{"auths":{"r.test":{"auth":"dTpw"}}}"#
    );
}
