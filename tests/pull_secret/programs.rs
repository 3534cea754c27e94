//! What surrounds the commands: version, completions, manual pages, and the name under which kubectl finds the program.

use std::{fs, path::Path};

use rstest::rstest;
use serde_json::Value;

use crate::{
    home::{COTTER, Home},
    support::{parts, require},
};

#[test]
fn the_version_as_json() {
    let version = Home::new().cotter(&["version", "-o", "json"], "").ok();
    let version: Value = serde_json::from_str(&version).unwrap();
    let members: Vec<_> = version.as_object().unwrap().keys().collect();
    assert_eq!(members, ["revision", "rustc", "target", "version"]);
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        version["rustc"].as_str().unwrap().starts_with("rustc 1."),
        "{version}"
    );
    assert!(
        version["target"].as_str().unwrap().contains('-'),
        "{version}"
    );
}

#[rstest]
#[case::bash("bash", "complete -F _cotter")]
#[case::zsh("zsh", "#compdef cotter")]
#[case::fish("fish", "complete -c cotter")]
#[case::powershell(
    "powershell",
    "Register-ArgumentCompleter -Native -CommandName 'cotter'"
)]
fn completions_of_a_shell(#[case] shell: &str, #[case] holds: &str) {
    let home = Home::new();
    let script = home.cotter(&["completions", shell], "").ok();
    assert!(
        script.contains(holds) && script.contains("password-stdin"),
        "{script}"
    );
    if shell == "bash" {
        let path = home.write("completions.bash", &script);
        home.run(Path::new("bash"), &["-n", &path], b"").ok();
    }
}

#[test]
fn a_manual_page_for_each_command() {
    let home = Home::new();
    let dir = home.file("man1");
    home.cotter(&["man", "--dir", dir.to_str().unwrap()], "")
        .ok();
    for name in ["cotter", "cotter-pull-secret", "cotter-registry-login"] {
        let page = home.read(&format!("man1/{name}.1"));
        assert!(page.contains(".TH ") && page.contains(".SH NAME"), "{page}");
    }
    let page = home.cotter(&["man", "registry", "login"], "").ok();
    assert_eq!(page, home.read("man1/cotter-registry-login.1"));
    let said = home.cotter(&["man", "nothing"], "").failed();
    assert!(
        said.contains("there is no command cotter nothing"),
        "{said}"
    );
}

#[test]
fn kubectl_finds_the_program_under_its_other_name() {
    require!("kubectl");
    let home = Home::new();
    fs::create_dir(home.file("bin")).unwrap();
    std::os::unix::fs::symlink(COTTER, home.file("bin/kubectl-cotter")).unwrap();
    let help = home
        .run(
            &parts::program("kubectl"),
            &["cotter", "pull-secret", "--help"],
            b"",
        )
        .ok();
    assert!(help.contains("Usage: kubectl cotter pull-secret"), "{help}");
    assert!(
        help.contains("\n  kubectl cotter pull-secret --from-docker-config"),
        "{help}"
    );
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let home = Home::new();
    let line =
        format!("{COTTER} completions bash | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}");
    let outcome = home.run(Path::new("bash"), &["-c", &line], b"");
    assert_eq!(
        (outcome.stdout.as_str(), outcome.stderr.as_str()),
        ("0\n", "")
    );
}

#[test]
fn no_colour_off_a_terminal() {
    let outcome = Home::new().cotter(&["pull-secret", "--nonsense"], "");
    assert!(
        outcome.code == 2 && !outcome.stderr.contains('\u{1b}'),
        "{}",
        outcome.stderr
    );
}
