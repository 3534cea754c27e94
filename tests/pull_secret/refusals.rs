//! What cannot work is refused with what to do, and no password is ever shown.

use rstest::rstest;

use crate::{home::Home, support::command::Outcome};

fn pull_secret(args: &[&str], password: &str) -> Outcome {
    let args = [&["pull-secret", "--password-stdin"], args].concat();
    Home::new().cotter(&args, password)
}

#[rstest]
#[case::a_colon(&["--username", "u:with:colon"], "hunter2", "it would log in as \"u\" with another password")]
#[case::no_user(&["--username", ""], "hunter2", "the user is empty")]
#[case::no_password(&["--username", "u"], "", "the password is empty")]
#[case::a_user_of_ecr(
    &["--username", "u", "--server", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"], "hunter2", "give the user AWS")]
#[case::no_key_of_google(
    &["--username", "_json_key", "--server", "gcr.io"], "hunter2", "not the JSON of a service account's key")]
fn a_login_that_cannot_work(#[case] args: &[&str], #[case] password: &str, #[case] said: &str) {
    let Outcome {
        code,
        stdout,
        stderr,
    } = pull_secret(args, password);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(
        stderr.contains("cotter: ") && stderr.contains(said),
        "{stderr}"
    );
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[rstest]
#[case::no_host(&["--server", "not a host"], "the server is no host to the kubelet")]
#[case::a_website(&["--server", "hub.docker.com"], "the key of Docker Hub is https://index.docker.io/v1/")]
#[case::no_token(&["--server", "ghcr.io"], "does not look like a token of GitHub")]
#[case::no_slash(&["--server", "r.test/team"], "end it with a slash, r.test/team/")]
fn a_login_that_may_not_work_is_written_with_a_warning(#[case] args: &[&str], #[case] said: &str) {
    let args = [args, &["--username", "bot"]].concat();
    let Outcome {
        code,
        stdout,
        stderr,
    } = pull_secret(&args, "hunter2");
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("kind: Secret"), "{stdout}");
    assert!(
        stderr.starts_with("warning: ") && stderr.contains(said),
        "{stderr}"
    );
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[rstest]
#[case::all(&[], "--username USER, --password-stdin")]
#[case::the_password(&["--username", "u"], "missing: --password-stdin")]
#[case::the_user(&["--password-stdin"], "missing: --username USER;")]
fn what_is_missing_is_named_where_nobody_can_be_asked(#[case] args: &[&str], #[case] said: &str) {
    let args = [&["pull-secret"], args].concat();
    let Outcome {
        code,
        stdout,
        stderr,
    } = Home::new().cotter(&args, "hunter2");
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(
        stderr.contains(said) && !stderr.contains("hunter2"),
        "{stderr}"
    );
}

#[test]
fn a_password_on_the_command_line_is_refused_and_not_repeated() {
    let args = ["pull-secret", "--username", "u", "--password=hunter2"];
    let Outcome {
        code,
        stdout,
        stderr,
    } = Home::new().cotter(&args, "");
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(
        stderr.contains("--password-stdin") && !stderr.contains("hunter2"),
        "{stderr}"
    );
}

#[rstest]
#[case::no_server(&["--server", ""], "a value is required for '--server <HOST>'")]
#[case::a_name(&["--name", "Reg_cred"], "a name has lower-case letters")]
#[case::a_namespace(&["-n", "a.b"], "a namespace has lower-case letters")]
#[case::an_image(&["--test", "UPPER:CASE:"], "--test UPPER:CASE:: invalid reference format")]
fn a_flag_that_says_nothing_useful_is_named(#[case] args: &[&str], #[case] said: &str) {
    let args = [args, &["--username", "bot"]].concat();
    let Outcome { code, stderr, .. } = pull_secret(&args, "pw");
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains(said), "{stderr}");
}

#[test]
fn one_line_break_at_the_end_of_stdin_is_not_the_password() {
    let args = ["--username", "bot", "--server", "r.test"];
    let plain = pull_secret(&args, "pw").ok();
    for ended in ["pw\n", "pw\r\n"] {
        assert_eq!(pull_secret(&args, ended).ok(), plain);
    }
    assert_ne!(pull_secret(&args, "pw\n\n").ok(), plain);
}
