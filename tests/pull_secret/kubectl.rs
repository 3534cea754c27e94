//! The manifest is the one that kubectl makes: by the rows of `kubectl_secret.json`, and beside the real kubectl.

use std::path::Path;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

use crate::{
    home::Home,
    support::{parts, require},
};

fn rows() -> Vec<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases/kubectl_secret.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What a row or a test asks for, as arguments of both programs, and the password.
struct Asked {
    ours: Vec<String>,
    theirs: Vec<String>,
    password: String,
}

impl Asked {
    fn of(home: &Home, input: &Value) -> Self {
        let text = |name: &str| input[name].as_str();
        let mut asked = Self {
            ours: vec!["pull-secret".to_owned()],
            theirs: [
                "create",
                "secret",
                "docker-registry",
                text("name").unwrap_or("regcred"),
                "--dry-run=client",
            ]
            .map(str::to_owned)
            .to_vec(),
            password: text("password").unwrap_or_default().to_owned(),
        };
        if let Some(bytes) = text("bytes") {
            let file = home.write("config.json", bytes);
            asked
                .ours
                .extend(["--from-docker-config".to_owned(), file.clone()]);
            asked
                .theirs
                .push(format!("--from-file=.dockerconfigjson={file}"));
            return asked;
        }
        asked.ours.push("--password-stdin".to_owned());
        asked
            .theirs
            .push(format!("--docker-password={}", asked.password));
        for (name, ours, theirs) in [
            ("server", "--server", "--docker-server"),
            ("username", "--username", "--docker-username"),
            ("email", "--email", "--docker-email"),
            ("namespace", "--namespace", "--namespace"),
        ] {
            if let Some(value) = text(name) {
                asked.ours.push(format!("{ours}={value}"));
                asked.theirs.push(format!("{theirs}={value}"));
            }
        }
        if let Some(name) = text("name") {
            asked.ours.push(format!("--name={name}"));
        }
        if input["append_hash"] == true {
            asked.ours.push("--append-hash".to_owned());
            asked.theirs.push("--append-hash".to_owned());
        }
        asked
    }

    fn ours<'a>(&'a self, more: &'a [&'a str]) -> Vec<&'a str> {
        self.ours
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect()
    }
}

#[test]
fn every_row_of_the_cases() {
    let home = Home::new();
    for (at, row) in rows().iter().enumerate() {
        let (input, expected) = (&row["input"], &row["expected"]);
        let asked = Asked::of(&home, input);
        let outcome = home.cotter(&asked.ours(&["-o", "json"]), &asked.password);
        let what = format!("row {at}: {input}: {}{}", outcome.stdout, outcome.stderr);
        if expected["ok"] == false {
            assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""), "{what}");
            continue;
        }
        assert_eq!(outcome.code, 0, "{what}");
        let object: Value = serde_json::from_str(&outcome.stdout).unwrap();
        if let Some(content) = expected["dockerconfigjson"].as_str() {
            let coded = object["data"][".dockerconfigjson"].as_str().unwrap();
            assert_eq!(
                BASE64_STANDARD.decode(coded).unwrap(),
                content.as_bytes(),
                "{what}"
            );
        }
        if expected["metadata"].is_object() {
            assert_eq!(object["metadata"], expected["metadata"], "{what}");
            assert_eq!(object["type"], expected["type"], "{what}");
        }
        if let Some(name) = expected["metadata.name"].as_str() {
            assert_eq!(object["metadata"]["name"], name, "{what}");
        }
        if let Some(stdout) = expected["stdout"].as_str() {
            let yaml = home.cotter(&asked.ours(&["-o", "yaml"]), &asked.password);
            assert_eq!(yaml.ok(), stdout, "{what}");
        }
    }
}

/// kubectl printed `creationTimestamp: null` until 1.33; newer ones leave the line out.
fn without_timestamp(manifest: &str) -> String {
    manifest
        .replace(",\n        \"creationTimestamp\": null", "")
        .replace("  creationTimestamp: null\n", "")
}

fn compare(home: &Home, input: &Value) {
    let asked = Asked::of(home, input);
    let theirs: Vec<&str> = asked.theirs.iter().map(String::as_str).collect();
    for format in ["json", "yaml"] {
        let output = format!("--output={format}");
        let kubectl = [theirs.as_slice(), &[&output]].concat();
        let kubectl = home.run(&parts::program("kubectl"), &kubectl, b"");
        let cotter = home.cotter(&asked.ours(&[&output]), &asked.password);
        let what = format!("{format} of {input}: {}{}", kubectl.stderr, cotter.stderr);
        assert_eq!(kubectl.code == 0, cotter.code == 0, "{what}");
        let (ours, theirs) = (
            without_timestamp(&cotter.stdout),
            without_timestamp(&kubectl.stdout),
        );
        assert_eq!(ours, theirs, "{what}");
    }
}

#[test]
fn every_row_beside_the_real_kubectl() {
    require!("kubectl");
    let home = Home::new();
    for row in rows() {
        compare(&home, &row["input"]);
    }
}

#[test]
fn names_namespaces_and_strange_passwords_beside_the_real_kubectl() {
    require!("kubectl");
    let home = Home::new();
    let login = serde_json::json!({"server": "r.test", "username": "bot", "password": "pw"});
    let with = |members: Value| {
        let mut input = login.clone();
        input
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        input
    };
    for name in ["123", "1e3", "true", "on", "2024-01-01", "0x1f", "a.b"] {
        compare(
            &home,
            &with(serde_json::json!({"name": name, "append_hash": true})),
        );
    }
    for namespace in ["shop", "1e3", "null", "y"] {
        compare(&home, &with(serde_json::json!({"namespace": namespace})));
    }
    for password in [
        "\u{1}\u{8}\u{c}\u{7f}",
        " p ",
        "\u{a0}\u{2029}",
        &"p".repeat(2000),
        "🚲",
    ] {
        compare(&home, &with(serde_json::json!({"password": password})));
    }
    for bytes in [
        "\u{0}",
        "{\"auths\":{\"r.test\":{\"auth\":\"dTpw\"}}}",
        "\u{3}]:",
    ] {
        compare(
            &home,
            &serde_json::json!({"from_file": "bytes", "bytes": bytes}),
        );
    }
}
