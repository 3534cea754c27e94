//! The forms of the answer, and the help.

use serde_json::Value;

use crate::{
    lab::{lab, run},
    support::command::Outcome,
};

#[test]
fn sarif_has_a_rule_and_a_place_for_each_finding() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    ns.pod("web", &lab.image("acme/app:dev"), &[], "");
    let said = lab.cotter(&["-n", &ns.name, "-o", "sarif"]);
    let sarif: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let rules: Vec<_> = run["tool"]["driver"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["id"])
        .collect();
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3, "{sarif}");
    for result in results {
        assert!(rules.contains(&&result["ruleId"]), "{result}");
        let place = &result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
        assert_eq!(place.as_str().unwrap(), format!("{}/Pod/web/app", ns.name));
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(uri.as_str().unwrap(), format!("{}/Pod/web", ns.name));
    }
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn people_read_tables_and_no_terminal_codes_where_there_is_no_terminal() {
    let lab = lab!();
    let ns = lab.namespace(&[]);
    ns.pod("web", &lab.image("acme/app:dev"), &[], "");
    for (form, expected) in [
        (
            "table",
            vec![
                "NAMESPACE",
                "UNPINNED",
                "If all Pods were made anew",
                "Findings:",
                "Pod/web app",
            ],
        ),
        ("wide", vec!["Images:", "STATE", "unpinned"]),
        (
            "markdown",
            vec!["## cotter audit", "| unpinned |", "### Findings"],
        ),
    ] {
        let Outcome {
            code,
            stdout,
            stderr,
        } = lab.cotter(&["-n", &ns.name, "-o", form]);
        assert_eq!((code, stderr.as_str()), (1, ""));
        for text in expected {
            assert!(stdout.contains(text), "{form}: {text} not in {stdout}");
        }
        assert!(!stdout.contains('\u{1b}'), "{form}: {stdout:?}");
    }
}

#[test]
fn the_help_has_examples_that_are_accepted_and_says_what_counts() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(&["audit", "--help"], folder.path()).ok();
    assert!(
        help.contains("[default: unpinned unresolved missing-secret")
            || help.contains("default: unpinned,unresolved"),
        "{help}"
    );
    let examples: Vec<_> = help
        .lines()
        .filter_map(|line| line.trim().strip_prefix("cotter audit"))
        .collect();
    assert!(examples.len() >= 4, "{help}");
    for example in examples {
        let words = example.split(['#', '>']).next().unwrap_or_default();
        let words = words.split_whitespace();
        let words = words.filter(|word| !matches!(*word, "--config" | "cotter.yaml"));
        let args: Vec<_> = ["audit"].into_iter().chain(words).collect();
        let said = run(&args, folder.path());
        // There is no cluster here; what clap does not accept is told otherwise.
        assert!(
            said.stderr.contains("no cluster"),
            "{args:?}: {}",
            said.stderr
        );
    }
}

/// What a person sees, with more in the environment.
fn at_a_terminal(lab: &crate::lab::Lab, namespace: &str, env: &str) -> String {
    let line = format!(
        "{env} {} audit -n {namespace}",
        env!("CARGO_BIN_EXE_cotter")
    );
    let args = ["-qec", &line, "/dev/null"];
    let kubeconfig = lab.plane.kubeconfig().to_string_lossy();
    let env = [("COTTER_KUBECONFIG", &*kubeconfig), ("TERM", "xterm")];
    let script = crate::support::parts::program("script");
    crate::support::command::run(&script, &args, &env, lab.plane.folder(), b"").stdout
}

#[test]
fn at_a_terminal_there_are_colours_unless_nobody_wants_them_and_a_bar() {
    let lab = lab!();
    crate::support::require!("script");
    let ns = lab.namespace(&[]);
    ns.pod("web", &lab.image("public/app:dev"), &[], "");
    let (bold, listing) = ("\u{1b}[1mNAMESPACE", "listing ");
    let coloured = at_a_terminal(&lab, &ns.name, "");
    assert!(
        coloured.contains(bold) && coloured.contains(listing),
        "{coloured:?}"
    );
    let plain = at_a_terminal(&lab, &ns.name, "NO_COLOR=1");
    assert!(
        !plain.contains(bold) && plain.contains(listing),
        "{plain:?}"
    );
    assert!(plain.contains("NAMESPACE"), "{plain:?}");
}
