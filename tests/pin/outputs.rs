//! How the list is written.

use serde_json::{Value, json};

use crate::world::World;

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - image: HOST/public/app:dev\n  - image: HOST/public/app:none\n";

async fn check(args: &[&str]) -> (String, String) {
    let world = World::start().await;
    world.write("p.yaml", POD);
    let outcome = world.cotter(&[&["pin", "--check", "p.yaml"], args].concat());
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    (outcome.stdout, outcome.stderr)
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_person() {
    let (stdout, stderr) = check(&[]).await;
    assert_eq!(
        stdout,
        "p.yaml:6:12: HOST/public/app:dev → HOST/public/app:dev@APP\n"
    );
    let expected = "p.yaml:7:12: warning: HOST/public/app:none: the registry knows no such tag or repository; there is dev\n\
                    2 images in 1 files: 1 would change\n";
    assert_eq!(stderr, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_json() {
    let (stdout, _) = check(&["-o", "json"]).await;
    let expected = json!({
        "files": 1,
        "images": 2,
        "changes": [{"file": "p.yaml", "line": 6, "column": 12, "path": "spec.containers[0].image", "object": "Pod/web",
            "from": "HOST/public/app:dev", "to": "HOST/public/app:dev@APP"}],
        "findings": [{"file": "p.yaml", "line": 7, "column": 12, "path": "spec.containers[1].image", "level": "warning",
            "cause": "notFound", "message": "HOST/public/app:none: the registry knows no such tag or repository", "suggestions": ["dev"]}]});
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_sarif() {
    let (stdout, _) = check(&["-o", "sarif"]).await;
    let log: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<_> = results
        .iter()
        .map(|result| result["ruleId"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["unpinned", "unresolved"]);
    let known = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    assert!(
        rules
            .iter()
            .all(|rule| known.iter().any(|known| known["id"] == *rule))
    );
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "p.yaml");
    assert_eq!(place["region"], json!({"startLine": 6, "startColumn": 12}));
}

#[tokio::test(flavor = "multi_thread")]
async fn for_github() {
    let (stdout, _) = check(&["-o", "github"]).await;
    let lines: Vec<_> = stdout.lines().collect();
    let change = "::error file=p.yaml,line=6,col=12,title=cotter::HOST/public/app:dev is not pinned; write HOST/public/app:dev@APP";
    assert_eq!(lines[0], change);
    assert!(
        lines[1].starts_with("::warning file=p.yaml,line=7,col=12,title=cotter::"),
        "{stdout}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_diff() {
    let world = World::start().await;
    world.write("p.yaml", &POD.replace("app:none", "app:0123abc"));
    let outcome = world.cotter(&["pin", "--diff", "p.yaml"]);
    let expected = "--- a/p.yaml\n+++ b/p.yaml\n@@ -3,5 +3,5 @@\n metadata: {name: web}\n spec:\n   containers:\n\
                    -  - image: HOST/public/app:dev\n+  - image: HOST/public/app:dev@APP\n   - image: HOST/public/app:0123abc\n";
    assert_eq!(outcome.stdout, expected);
    assert_eq!(outcome.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_do_not_go_together_are_refused() {
    let world = World::start().await;
    world.write("p.yaml", POD);
    world.write("q.yaml", POD);
    for (args, expected) in [
        (
            &["pin", "p.yaml", "q.yaml"][..],
            "these are 2 files; choose --in-place, --check or --diff",
        ),
        (
            &["pin", "p.yaml", "-o", "json"],
            "-o is for the list of --check and --in-place",
        ),
        (&["pin"], "no file is named"),
        (&["pin", "-i", "-"], "stdin cannot be written in place"),
        (
            &["pin", "p.yaml", "--policy", "none"],
            "no policy is called \"none\"",
        ),
    ] {
        let outcome = world.cotter(args);
        assert_eq!(outcome.code, 2, "{args:?}");
        assert!(
            outcome.stderr.contains(expected),
            "{args:?}: {}",
            outcome.stderr
        );
    }
}
