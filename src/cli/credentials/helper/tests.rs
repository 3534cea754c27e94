use std::{
    fs,
    path::{Path, PathBuf},
};

use rstest::rstest;

use super::*;

/// A helper that is a shell script, and the directory that it goes with.
fn helper(script: &str) -> (Helper, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let program: PathBuf = dir.path().join("docker-credential-test");
    put_program(&program, &format!("#!/bin/sh\n{script}\n"));
    let helper = Helper {
        program: program.to_str().unwrap().to_owned(),
        patience: Duration::from_secs(10),
    };
    (helper, dir)
}

/// Makes a program by a process of its own: a file that this one has open for writing while another thread forks cannot be
/// run.
pub(in crate::cli::credentials) fn put_program(path: &Path, text: &str) {
    let source = path.with_extension("source");
    fs::write(&source, text).unwrap();
    let mut install = std::process::Command::new("install");
    let made = install.args(["-m", "755"]).args([&source, path]).status();
    assert!(made.unwrap().success());
    fs::remove_file(source).unwrap();
}

async fn get(script: &str) -> Result<Option<Kept>, HelperError> {
    let (helper, _dir) = helper(script);
    helper.get("ghcr.io").await
}

#[tokio::test]
async fn a_login_is_read_and_the_server_is_what_was_asked_for() {
    let kept = get(
        r#"[ "$1" = get ] && printf '{"ServerURL":"%s","Username":"u","Secret":"p"}' "$(cat)""#,
    );
    let login = Kept::Login(Arc::new(Credential::new("u", "p")));
    assert_eq!(kept.await.unwrap(), Some(login));
}

#[rstest]
#[case::on_stdout("echo credentials not found in native keychain; exit 1")]
#[case::on_stderr("echo credentials not found in native keychain >&2; exit 1")]
#[case::an_empty_one(r#"echo '{"ServerURL":"ghcr.io","Username":"","Secret":""}'"#)]
#[tokio::test]
async fn nothing_is_kept(#[case] script: &str) {
    assert_eq!(get(script).await.unwrap(), None);
}

#[tokio::test]
async fn the_user_token_means_an_identity_token() {
    let kept = get(r#"echo '{"ServerURL":"x","Username":"<token>","Secret":"hunter2"}'"#);
    let kept = kept.await.unwrap().unwrap();
    assert!(!format!("{kept:?}").contains("hunter2"), "{kept:?}");
    assert_eq!(
        kept,
        Kept::IdentityToken(IdentityToken::new("hunter2".into()))
    );
}

#[rstest]
#[case::both_streams("echo out; echo err >&2; exit 3", "get failed: out; err")]
#[case::silence("exit 3", "get failed: it ended with exit status: 3 and said nothing")]
#[case::a_credential(
    r#"echo '{"Secret":"hunter2"}'; echo locked >&2; exit 1"#,
    "get failed: locked"
)]
#[case::no_json("echo hunter2", "get did not answer with the JSON of the protocol")]
#[tokio::test]
async fn a_failure_is_told(#[case] script: &str, #[case] expected: &str) {
    let said = get(script).await.unwrap_err().to_string();
    assert!(said.ends_with(expected), "{said}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_with_what_to_do() {
    let said = Helper::named("nowhere-to-be-found").get("x").await;
    let said = said.unwrap_err().to_string();
    assert!(
        said.starts_with("docker-credential-nowhere-to-be-found is not on the PATH; install it"),
        "{said}"
    );
}

#[tokio::test]
async fn a_helper_that_does_not_end_is_given_up() {
    let (mut helper, _dir) = helper("exec sleep 60");
    helper.patience = Duration::from_millis(100);
    let error = helper.get("x").await.unwrap_err();
    assert!(matches!(error, HelperError::Silent { .. }), "{error}");
}

#[tokio::test]
async fn what_is_stored_goes_over_stdin_and_nowhere_else() {
    let (helper, dir) = helper(r#"echo "$@" > "$0.args"; cat > "$0.in""#);
    helper.store("ghcr.io", "u", "p\"w").await.unwrap();
    let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
    assert_eq!(read("docker-credential-test.args"), "store\n");
    assert_eq!(
        read("docker-credential-test.in"),
        r#"{"ServerURL":"ghcr.io","Username":"u","Secret":"p\"w"}"#
    );
}

#[rstest]
#[case::it_was_there("exit 0", true)]
#[case::it_was_not("echo credentials not found in native keychain; exit 1", false)]
#[tokio::test]
async fn a_server_is_forgotten(#[case] script: &str, #[case] was_there: bool) {
    let (helper, _dir) = helper(script);
    assert_eq!(helper.erase("ghcr.io").await.unwrap(), was_there);
}

#[tokio::test]
async fn the_servers_are_listed_with_their_users() {
    let (helper, _dir) = helper(r#"[ "$1" = list ] && echo '{"ghcr.io":"u"}'"#);
    let list = helper.list().await.unwrap();
    assert_eq!(
        list,
        BTreeMap::from([("ghcr.io".to_owned(), "u".to_owned())])
    );
}
