//! Values that a chart renders.

use crate::{
    support::{command, parts},
    world::{SHA, World},
};

const TEMPLATE: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: frontend}
spec:
  containers:
  - name: frontend
    image: \"{{ .Values.image.repository }}:{{ .Values.image.tag }}\"
";

const VALUES: &str = "\
# the image that CI builds
image:
  repository: HOST/ByteQuester/hosting-monorepo
  tag: dev   # moves
";

async fn chart() -> World {
    let world = World::start().await;
    world.write(
        "charts/frontend/Chart.yaml",
        "apiVersion: v2\nname: frontend\nversion: 0.1.0\n",
    );
    world.write("charts/frontend/templates/pod.yaml", TEMPLATE);
    world.write(
        "charts/frontend/values.yaml",
        "image: {repository: x, tag: ''}\n",
    );
    world.write("charts/frontend/values-dev.yaml", VALUES);
    world
}

fn rendered(world: &World) -> String {
    let args = [
        "template",
        "charts/frontend",
        "-f",
        "charts/frontend/values-dev.yaml",
    ];
    let outcome = command::run(
        &parts::program("helm"),
        &args,
        &[],
        world.scratch.path(),
        b"",
    );
    let text = world.plain(&outcome.ok());
    let image = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("image: "));
    image.unwrap().trim_matches('"').to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_values_file_pinned_to_the_git_sha_renders_it() {
    parts::require!("helm");
    let world = chart().await;
    world
        .cotter(&["pin", "-i", "--style", "git-sha", "charts"])
        .ok();
    assert_eq!(
        rendered(&world),
        format!("HOST/bytequester/hosting-monorepo:{SHA}")
    );
    let expected = VALUES
        .replace("ByteQuester", "bytequester")
        .replace("tag: dev", &format!("tag: {SHA}"));
    assert_eq!(world.read("charts/frontend/values-dev.yaml"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_values_file_pinned_to_the_git_sha_and_the_digest_renders_both() {
    parts::require!("helm");
    let world = chart().await;
    world
        .cotter(&["pin", "-i", "--style", "git-sha-digest", "charts"])
        .ok();
    assert_eq!(
        rendered(&world),
        format!("HOST/bytequester/hosting-monorepo:{SHA}@MONOREPO")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_values_file_pinned_to_the_digest_renders_it() {
    parts::require!("helm");
    let world = chart().await;
    world
        .cotter(&["pin", "-i", "charts/frontend/values-dev.yaml"])
        .ok();
    assert_eq!(
        rendered(&world),
        "HOST/bytequester/hosting-monorepo:dev@MONOREPO"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_alone_is_that_of_the_charts_own_repository() {
    parts::require!("helm");
    let world = chart().await;
    world.write(
        "charts/frontend/values.yaml",
        "image:\n  repository: HOST/ByteQuester/hosting-monorepo\n  tag: ''\n",
    );
    world.write("charts/frontend/values-dev.yaml", "image: {tag: dev}\n");
    world
        .cotter(&["pin", "-i", "--style", "git-sha", "charts"])
        .ok();
    assert_eq!(
        rendered(&world),
        format!("HOST/bytequester/hosting-monorepo:{SHA}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_named_and_left_alone() {
    let world = chart().await;
    world.write(
        "charts/frontend/templates/loop.yaml",
        "{{- range .Values.a }}\nimage: x:1\n{{- end }}\n",
    );
    let outcome = world.cotter(&["pin", "--check", "charts"]);
    let named = "charts/frontend/templates/loop.yaml: note: is a template and no YAML; left alone";
    assert!(outcome.stderr.contains(named), "{}", outcome.stderr);
    assert_eq!(outcome.code, 1, "for the values");
}
