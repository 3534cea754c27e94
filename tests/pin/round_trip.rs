//! Every byte outside of an image's text stays, and pinning twice is pinning once: over many files in many styles.

use std::fs;

use crate::world::World;

/// Ways to write a scalar; `{}` is the image.
const SCALARS: [&str; 9] = [
    "{}",
    "'{}'",
    "\"{}\"",
    "{} # who: me",
    "{}\t# tab\there",
    "!!str {}",
    "&img {}",
    "\"{}\"   ",
    "!!str '{}' # ü 😀",
];

/// Block scalars, whose lines have an indentation of their own.
const BLOCKS: [&str; 4] = ["|\nIND{}", "|-\nIND{}", ">\nIND{}\n", ">- # folded\nIND{}"];

/// Objects around a scalar at some depth; `{}` is the scalar, `IND` what its own lines are indented by.
const OBJECTS: [(&str, &str, &str); 8] = [
    (
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: ä # ö\nspec:\n  containers:\n  - name: a\n    image: {}\n    args: [\"{ {\", '} }', \"\\u00e9\"]\n",
        "      ",
    ),
    (
        "deep.yml",
        "%YAML 1.2\n---\napiVersion: apps/v1\nkind: Deployment\nspec:\n    template:\n        spec:\n            initContainers:\n                -   image: {}\n                    name: 'it''s'\n...\n",
        "                        ",
    ),
    (
        "second.yaml",
        "# nothing\n---\n---\nkind: ConfigMap\napiVersion: v1\ndata:\n  x: |+\n    image: keep:1\n\n---\napiVersion: batch/v1\nkind: CronJob\nspec: \n  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n            - image: {}\n",
        "                ",
    ),
    (
        "values.yaml",
        "global: &g\n  a: 1\nweb:\n  <<: *g\n  image: {}\n  command: >\n    image: keep:1\n    and more\n",
        "    ",
    ),
    (
        "values-x.yaml",
        "list:\n- - image: {}\n  - image: keep\n- {a: b, c: [d, e]}\n",
        "      ",
    ),
    (
        "compose.yaml",
        "x-common: &c\n  restart: always\nservices:\n  \"web app\":\n    <<: *c\n    image: {}\n    ports: ['80:80']\n",
        "      ",
    ),
    (
        "list.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec:\n    containers:\n    - image: {}\n      env:\n      - {name: A, value: 'x: y # z'}\n",
        "        ",
    ),
    (
        "volume.yaml",
        "apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n  - name: v\n    image:\n      pullPolicy: Always\n      reference: {}\n  containers: []\n",
        "        ",
    ),
];

/// Whole files in braces, where a scalar stands among others.
const FLOWS: [(&str, &str); 4] = [
    (
        "flow.yaml",
        "{apiVersion: v1, kind: Pod, spec: {containers: [{name: a, image: {}, args: [b]}]}}\n",
    ),
    (
        "flow-lines.yaml",
        "{\n  \"apiVersion\": v1, # c\n  kind: Pod,\n  spec: {\n    containers: [\n      {image: {}, name: a},\n    ],\n  },\n}\n",
    ),
    (
        "one.json",
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"\\u00e9\\n\\/\"},\"spec\":{\"containers\":[{\"image\":\"{}\"}]}}",
    ),
    (
        "two.json",
        "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"spec\": {\"containers\": [{\"image\": \"{}\", \"x\": 1.0e3}]}\n}\n",
    ),
];

/// The files: name, and text with `{}` for the image.
fn corpus() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let scalars = SCALARS.iter().chain(&BLOCKS);
    for (style, scalar) in scalars.enumerate() {
        for (name, object, indent) in OBJECTS {
            let text = object.replace("{}", &scalar.replace("IND", indent));
            files.push((format!("{style}/{name}"), text));
        }
    }
    for (name, object) in FLOWS {
        let styles: &[&str] = if object.starts_with("{\"") || object.starts_with("{\n\t") {
            &["{}"]
        } else {
            &["{}", "'{}'", "\"{}\""]
        };
        for (style, scalar) in styles.iter().enumerate() {
            files.push((format!("flow-{style}/{name}"), object.replace("{}", scalar)));
        }
    }
    let plain = files.clone();
    for (name, text) in &plain {
        files.push((format!("windows/{name}"), text.replace('\n', "\r\n")));
    }
    for (name, text) in plain.iter().filter(|(_, text)| !text.starts_with('%')) {
        files.push((format!("marked/{name}"), format!("\u{feff}{text}")));
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_texts_of_images_change() {
    let world = World::start().await;
    let host = world.registry.host();
    let (before, after) = (
        format!("{host}/public/app:dev"),
        format!("{host}/public/app:dev@{}", world.app),
    );
    let corpus = corpus();
    assert!(corpus.len() >= 200, "{}", corpus.len());
    let folder = world.scratch.path().join("corpus");
    for (name, text) in &corpus {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("{}", &before)).unwrap();
    }
    for run in ["once", "twice"] {
        let outcome = world.cotter(&["pin", "--in-place", "corpus"]);
        assert_eq!(outcome.code, 0, "{run}: {}", outcome.stderr);
        for (name, text) in &corpus {
            let found = fs::read_to_string(folder.join(name)).unwrap();
            assert_eq!(found, text.replace("{}", &after), "{run}: {name}");
        }
    }
}
