//! What holds for every command: help, colour, streams, exit codes.

use rstest::rstest;

use crate::{desk::Desk, oci_registry::Image};

const COMMANDS: [&[&str]; 3] = [&["resolve"], &["tags"], &["registry", "test"]];

/// The examples in a help text that need neither a network, nor a cluster, nor a file.
fn examples(help: &str) -> Vec<String> {
    let (_, examples) = help
        .split_once("Examples:")
        .unwrap_or_else(|| panic!("{help}"));
    let lines = examples.lines().map(str::trim);
    lines
        .filter(|line| line.starts_with("cotter "))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_has_help_with_examples() {
    let desk = Desk::new().await;
    for command in COMMANDS {
        let args = [command, &["--help"]].concat();
        let help = desk.run(&args, &[]).ok();
        let examples = examples(&help);
        assert!(!examples.is_empty(), "{help}");
        let named = format!("cotter {} ", command.join(" "));
        assert!(
            examples.iter().all(|one| one.starts_with(&named)),
            "{examples:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_listed_with_what_they_do() {
    let desk = Desk::new().await;
    for args in [&["--help"][..], &["registry", "--help"]] {
        let help = desk.run(args, &[]).ok();
        assert!(!help.contains("`cotter"), "{help}");
    }
}

/// Those that ask nobody are run; of the others, the options are read, which fails before anybody is asked for a file that is
/// not there.
#[tokio::test(flavor = "multi_thread")]
async fn the_examples_work() {
    let desk = Desk::new().await;
    for command in COMMANDS {
        let help = desk.run(&[command, &["--help"]].concat(), &[]).ok();
        for example in examples(&help) {
            let without_comment = example.split(" # ").next().unwrap();
            let words = without_comment.split_whitespace().skip(1);
            let mut args: Vec<&str> = words.map(|word| word.trim_matches('\'')).collect();
            if args.contains(&"--no-network") {
                desk.run(&args, &[]).ok();
                continue;
            }
            args.extend(["--config", "gone.yaml"]);
            let said = desk.run(&args, &[]);
            assert!(
                said.code == 2 && said.stderr.contains("gone.yaml"),
                "{example}: {}",
                said.stderr
            );
        }
    }
}

#[rstest]
#[case::off_a_terminal(&[], false)]
#[case::forced(&[("CLICOLOR_FORCE", "1")], true)]
#[case::no_color_is_stronger(&[("CLICOLOR_FORCE", "0"), ("NO_COLOR", "1")], false)]
#[tokio::test(flavor = "multi_thread")]
async fn colour(#[case] env: &[(&str, &str)], #[case] expected: bool) {
    let desk = Desk::new().await;
    desk.alice();
    desk.registry.push("team/app", "dev", &Image::new("1"));
    let image = desk.image("team/app:dev");
    for command in COMMANDS {
        let more = [
            &image,
            "--config",
            "cotter.yaml",
            "--pull-secrets",
            "secrets.yaml",
        ];
        let said = desk.run(&[command, &more].concat(), env).ok();
        assert_eq!(said.contains('\u{1b}'), expected, "{command:?}: {said:?}");
    }
}

#[rstest]
#[case::no_config(&["--config", "gone.yaml"], "gone.yaml")]
#[case::no_secrets(&["--pull-secrets", "gone.yaml"], "gone.yaml")]
#[case::no_kubeconfig(&["-n", "shop", "--kubeconfig", "gone.yaml"], "gone.yaml")]
#[case::not_a_format(&["-o", "yaml"], "'yaml'")]
#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_run_says_why_once(#[case] more: &[&str], #[case] named: &str) {
    let desk = Desk::new().await;
    for command in COMMANDS {
        let said = desk.run(&[command, &["ghcr.io/acme/app"], more].concat(), &[]);
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (2, ""),
            "{}",
            said.stderr
        );
        let lines: Vec<_> = said
            .stderr
            .lines()
            .filter(|line| line.contains(named))
            .collect();
        assert_eq!(lines.len(), 1, "{}", said.stderr);
    }
}
