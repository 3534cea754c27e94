//! `cotter registry login` and `logout`: what Docker and crane find afterwards.

use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value, json};

use crate::{
    home::Home,
    support::{command::Outcome, parts, require},
};

const CONFIG: &str = ".docker/config.json";

fn log_in(home: &Home, host: &str, password: &str) -> Outcome {
    let args = [
        "registry",
        "login",
        host,
        "--username",
        "bot",
        "--password-stdin",
    ];
    home.cotter(&args, password)
}

/// What crane, which uses Docker's own reader, has for a registry.
fn crane(home: &Home, host: &str) -> Value {
    let outcome = home.run(&parts::program("crane"), &["auth", "get", host], b"");
    serde_json::from_str(&outcome.ok()).unwrap()
}

#[test]
fn a_login_without_a_helper_is_in_the_file_for_its_owner_alone() {
    let home = Home::new();
    let Outcome {
        code,
        stdout,
        stderr,
    } = log_in(&home, "r.test", "hunter2\n");
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.starts_with("logged in to r.test as bot, kept in "),
        "{stdout}"
    );
    assert!(
        stderr.contains("the password is stored unencrypted in"),
        "{stderr}"
    );
    assert!(!(stdout + &stderr).contains("hunter2"));
    assert_eq!(
        home.read(CONFIG),
        "{\n\t\"auths\": {\n\t\t\"r.test\": {\n\t\t\t\"auth\": \"Ym90Omh1bnRlcjI=\"\n\t\t}\n\t}\n}\n"
    );
    let mode = std::fs::metadata(home.file(CONFIG)).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_crane_finds_is_what_was_given() {
    require!("crane");
    let home = Home::new();
    log_in(&home, "r.test", "hunter2").ok();
    log_in(&home, "docker.io", "at the hub").ok();
    assert_eq!(
        crane(&home, "r.test"),
        json!({"Username": "bot", "Secret": "hunter2"})
    );
    assert_eq!(
        crane(&home, "docker.io"),
        json!({"Username": "bot", "Secret": "at the hub"})
    );
}

#[test]
fn all_else_of_the_file_stays_and_a_logout_gives_it_back() {
    let home = Home::new();
    let before = "{ \"psFormat\":\t\"table {{.ID}}\",\n  \"auths\" : { \"a.test\" : {\"auth\":\"dTpw\"} },\"x\":1e0 }\n";
    home.write(CONFIG, before);
    log_in(&home, "https://R.test/", "pw").ok();
    let after = home.read(CONFIG);
    assert!(
        after
            .starts_with("{ \"psFormat\":\t\"table {{.ID}}\",\n  \"auths\" : {\n\t\t\"r.test\": {"),
        "{after}"
    );
    assert!(
        after.ends_with("\"a.test\" : {\"auth\":\"dTpw\"} },\"x\":1e0 }\n"),
        "{after}"
    );
    let said = home.cotter(&["registry", "logout", "r.test"], "").ok();
    assert_eq!(said, "logged out of r.test\n");
    assert_eq!(home.read(CONFIG), before);
    let said = home.cotter(&["registry", "logout", "r.test"], "").ok();
    assert_eq!(said, "there was no login for r.test\n");
}

#[test]
fn a_helper_keeps_the_login_and_the_file_only_lists_it() {
    let home = Home::with_helper();
    home.write(CONFIG, r#"{"credsStore":"test"}"#);
    let Outcome {
        code,
        stdout,
        stderr,
    } = log_in(&home, "ghcr.io", "ghp_x");
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(
        stdout,
        "logged in to ghcr.io as bot, kept by docker-credential-test\n"
    );
    let config: Value = serde_json::from_str(&home.read(CONFIG)).unwrap();
    assert_eq!(
        config,
        json!({"auths": {"ghcr.io": {}}, "credsStore": "test"})
    );
    if parts::find("crane").is_some() {
        assert_eq!(
            crane(&home, "ghcr.io"),
            json!({"Username": "bot", "Secret": "ghp_x"})
        );
    }
    home.cotter(&["registry", "logout", "ghcr.io"], "").ok();
    assert!(!home.file("kept/ghcr.io").exists());
    let config: Value = serde_json::from_str(&home.read(CONFIG)).unwrap();
    assert_eq!(config, json!({"auths": {}, "credsStore": "test"}));
}

#[test]
fn a_login_that_cannot_work_is_not_kept() {
    let home = Home::new();
    let args = [
        "registry",
        "login",
        "r.test",
        "--username",
        "u:v",
        "--password-stdin",
    ];
    let said = home.cotter(&args, "hunter2").failed();
    assert!(
        said.contains("the user has a colon") && !said.contains("hunter2"),
        "{said}"
    );
    let said = log_in(&home, "hub.docker.com", "pw").failed();
    assert!(
        said.contains("the key of Docker Hub is https://index.docker.io/v1/"),
        "{said}"
    );
    assert!(!home.file(CONFIG).exists());
}

#[test]
fn a_file_that_docker_would_not_read_is_left_alone() {
    let home = Home::new();
    home.write(CONFIG, "{\n  \"auths\": nope }");
    let said = log_in(&home, "r.test", "pw").failed();
    assert!(
        said.contains(".docker/config.json:2:13: not JSON: expected ident; correct it"),
        "{said}"
    );
    assert_eq!(home.read(CONFIG), "{\n  \"auths\": nope }");
}

#[test]
fn a_linked_file_stays_a_link() {
    let home = Home::new();
    home.write("dotfiles/docker.json", "{}");
    std::fs::create_dir(home.file(".docker")).unwrap();
    std::os::unix::fs::symlink("../dotfiles/docker.json", home.file(CONFIG)).unwrap();
    log_in(&home, "r.test", "pw").ok();
    assert!(home.file(CONFIG).is_symlink());
    assert!(home.read("dotfiles/docker.json").contains("r.test"));
}
