use std::fmt::Write as _;

use rstest::rstest;

use super::{About, Dialect, Wanted, find};
use crate::domain::{
    digest::Digest,
    reference::canonicalise,
    yaml::{Yaml, edit},
};

const HEX: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn about(file_name: &str) -> About<'_, '_, '_> {
    About {
        file_name: Some(file_name),
        ..About::default()
    }
}

/// The images of a text, as `path image`.
fn images(file_name: &str, text: &str) -> Vec<String> {
    let yaml = Yaml::read(text).unwrap();
    let found = find(&yaml, about(file_name));
    let shown = |mention: &super::Mention| format!("{} {}", mention.path, mention.image);
    found.mentions.iter().map(shown).collect()
}

/// The text with every image written anew, with a digest.
fn pinned(file_name: &str, text: &str, tag: Option<&str>, with_digest: bool) -> String {
    let yaml = Yaml::read(text).unwrap();
    let found = find(&yaml, about(file_name));
    written(text, &found.mentions, tag, with_digest)
}

fn written(
    text: &str,
    mentions: &[super::Mention],
    tag: Option<&str>,
    with_digest: bool,
) -> String {
    let digest = Digest::parse(&format!("sha256:{HEX}")).unwrap();
    let mut edits = Vec::new();
    for mention in mentions {
        let canonical = canonicalise(&mention.image, false).unwrap();
        let wanted = Wanted {
            canonical: &canonical,
            tag: tag.or(canonical.reference.tag()),
            digest: with_digest.then_some(&digest),
        };
        edits.extend(mention.edits(&wanted).unwrap());
    }
    let changed = edit::apply(text, edits).unwrap();
    changed.replace(HEX, "HEX")
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    image: r/A:1\n  \
                   initContainers: [{image: b}]\n  volumes:\n  - name: v\n    image: {reference: c:2}\n";

#[test]
fn all_slots_of_a_pod() {
    let expected = [
        "spec.containers[0].image r/A:1",
        "spec.initContainers[0].image b",
        "spec.volumes[0].image.reference c:2",
    ];
    assert_eq!(images("pod.yaml", POD), expected);
}

#[rstest]
#[case::pod("v1", "Pod", "")]
#[case::replication_controller("v1", "ReplicationController", "spec.template.")]
#[case::deployment("apps/v1", "Deployment", "spec.template.")]
#[case::stateful_set("apps/v1", "StatefulSet", "spec.template.")]
#[case::daemon_set("apps/v1", "DaemonSet", "spec.template.")]
#[case::replica_set("apps/v1", "ReplicaSet", "spec.template.")]
#[case::job("batch/v1", "Job", "spec.template.")]
#[case::cron_job("batch/v1", "CronJob", "spec.jobTemplate.spec.template.")]
#[case::pod_template("v1", "PodTemplate", "template.")]
fn all_nine_kinds(#[case] api: &str, #[case] kind: &str, #[case] way: &str) {
    let keys: Vec<_> = way.split_terminator('.').collect();
    let open = keys
        .iter()
        .fold(String::new(), |open, key| open + key + ": {");
    let close = "}".repeat(keys.len());
    let text = format!(
        "apiVersion: {api}\nkind: {kind}\n{open}spec: {{containers: [{{image: a}}]}}{close}\n"
    );
    assert_eq!(
        images("x.yaml", &text),
        [format!("{way}spec.containers[0].image a")]
    );
}

#[test]
fn objects_in_lists_and_several_documents() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: {containers: [{image: a}]}}\n---\n\
                apiVersion: v1\nkind: PodList\nitems:\n- spec: {containers: [{image: b}]}\n---\n\
                apiVersion: example.com/v1\nkind: Rollout\nspec: {template: {spec: {containers: [{image: c}]}}}\n";
    let expected = [
        "items[0].spec.containers[0].image a",
        "items[0].spec.containers[0].image b",
    ];
    assert_eq!(images("all.yaml", text), expected);
}

#[test]
fn an_object_that_aliases_name_again_and_again_is_looked_at_once() {
    let mut text = "apiVersion: v1\nkind: List\nx0: &x0\n- {apiVersion: v1, kind: Pod, spec: {containers: [{image: a}]}}\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        let _ = writeln!(
            text,
            "x{level}: &x{level} [{{kind: List, items: *x{before}}}, {{kind: List, items: *x{before}}}]"
        );
    }
    text += "items: *x39\n";
    assert_eq!(images("bomb.yaml", &text).len(), 1);
}

#[rstest]
#[case::tag(
    "image:\n  repository: ghcr.io/ByteQuester/app # who\n  tag: dev\n",
    "image:\n  repository: ghcr.io/bytequester/app # who\n  tag: dev@sha256:HEX\n"
)]
#[case::digest_key(
    "image: {repository: a/b, tag: \"dev\", digest: ''}\n",
    "image: {repository: a/b, tag: \"dev\", digest: 'sha256:HEX'}\n"
)]
#[case::digest_key_without_a_value(
    "image:\n  repository: a/b\n  tag: dev\n  digest: # c\n",
    "image:\n  repository: a/b\n  tag: dev\n  digest: sha256:HEX # c\n"
)]
#[case::digest_key_without_a_value_in_braces(
    "image: {repository: a/b, tag: dev, digest: }\n",
    "image: {repository: a/b, tag: dev, digest: sha256:HEX }\n"
)]
#[case::digest_key_of_nothing(
    "image:\n  repository: a/b\n  tag: dev\n  digest: null\n",
    "image:\n  repository: a/b\n  tag: dev\n  digest: sha256:HEX\n"
)]
#[case::registry(
    "image: {registry: GHCR.io, repository: Acme/app, tag: v1}\n",
    "image: {registry: ghcr.io, repository: acme/app, tag: v1@sha256:HEX}\n"
)]
#[case::text("a:\n- b: {image: r/x:1}\n", "a:\n- b: {image: r/x:1@sha256:HEX}\n")]
#[case::text_with_its_tag_beside(
    "image: r/x\nimageTag: dev\n",
    "image: r/x\nimageTag: dev@sha256:HEX\n"
)]
#[case::tag_in_the_repository(
    "image: {repository: 'r/x:1'}\n",
    "image: {repository: 'r/x:1@sha256:HEX'}\n"
)]
#[case::any_name(
    "web:\n  repository: r/x\n  tag: 'dev'\n",
    "web:\n  repository: r/x\n  tag: 'dev@sha256:HEX'\n"
)]
#[case::tag_of_an_alias(
    "version: &v dev\nimage: {repository: r/x, tag: *v}\n",
    "version: &v dev\nimage: {repository: r/x, tag: dev@sha256:HEX}\n"
)]
#[case::shared_by_an_anchor(
    "a: &i\n  repository: r/x\n  tag: dev\nb: *i\nc:\n  <<: *i\n",
    "a: &i\n  repository: r/x\n  tag: dev@sha256:HEX\nb: *i\nc:\n  <<: *i\n"
)]
fn values_are_pinned_by_their_own_convention(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(pinned("values.yaml", text, None, true), expected);
}

#[rstest]
#[case::git_repository("source: {repository: 'https://github.com/a/b', tag: v1}\n")]
#[case::theme("image: logo\n")]
#[case::template("image: '{{ .Values.global.image }}:1'\n")]
#[case::truth("backgroundImage: true\n")]
#[case::icon("iconImage: https://example.com/logo.png\n")]
fn values_that_are_no_images_are_left(#[case] text: &str) {
    assert_eq!(images("values.yaml", text), [""; 0]);
}

#[rstest]
#[case::tag("image: {tag: dev}\n", "r/X:dev", "image: {tag: dev@sha256:HEX}\n")]
#[case::tag_and_policy(
    "image:\n  pullPolicy: Always\n  tag: dev\n",
    "r/X:dev",
    "image:\n  pullPolicy: Always\n  tag: dev@sha256:HEX\n"
)]
#[case::deeper(
    "a: {b: {image: {tag: dev}}}\n",
    "c/z:dev",
    "a: {b: {image: {tag: dev@sha256:HEX}}}\n"
)]
fn the_repository_may_stand_in_the_charts_own_values(
    #[case] text: &str,
    #[case] image: &str,
    #[case] expected: &str,
) {
    let own = "image: {repository: r/X, tag: ''}\na: {b: {image: {registry: c, repository: z}}}\n";
    let (yaml, own) = (Yaml::read(text).unwrap(), Yaml::read(own).unwrap());
    let base = own.documents().next();
    let found = find(
        &yaml,
        About {
            base,
            ..about("values-dev.yaml")
        },
    );
    let mention = &found.mentions[0];
    assert_eq!((found.mentions.len(), mention.image.as_str()), (1, image));
    assert_eq!(written(text, &found.mentions, None, true), expected);
}

#[test]
fn values_without_a_tag_are_only_brought_into_canonical_form() {
    let text = "image: {repository: r/X, tag: ''}\n";
    let yaml = Yaml::read(text).unwrap();
    let found = find(&yaml, about("values.yaml"));
    assert!(found.mentions[0].stays_unpinned && !found.remarks[0].wrong);
    assert_eq!(
        written(text, &found.mentions, None, false),
        "image: {repository: r/x, tag: ''}\n"
    );
}

#[test]
fn a_git_sha_tag_alone_takes_the_place_of_the_tag() {
    let text = "image:\n  repository: ghcr.io/ByteQuester/app\n  tag: dev\n";
    let expected = "image:\n  repository: ghcr.io/bytequester/app\n  tag: c6cd88e\n";
    assert_eq!(
        pinned("values-dev.yaml", text, Some("c6cd88e"), false),
        expected
    );
}

#[rstest]
#[case::tag(
    "images:\n- name: app\n  newName: r/X\n  newTag: dev # t\nb: 1\n",
    "images:\n- name: app\n  newName: r/x\n  newTag: dev # t\n  digest: sha256:HEX\nb: 1\n"
)]
#[case::tag_first(
    "images:\n  - newTag: dev\n    name: r/x\n",
    "images:\n  - newTag: dev\n    digest: sha256:HEX\n    name: r/x\n"
)]
#[case::upper_case_name(
    "images:\n- name: r/X\n  newTag: dev\n",
    "images:\n- name: r/X\n  newTag: dev\n  digest: sha256:HEX\n  newName: r/x\n"
)]
#[case::flow(
    "images: [{name: r/x, newTag: dev}]\n",
    "images: [{name: r/x, newTag: dev, digest: sha256:HEX}]\n"
)]
#[case::windows_lines(
    "images:\r\n- name: r/x\r\n  newTag: dev\r\n",
    "images:\r\n- name: r/x\r\n  newTag: dev\r\n  digest: sha256:HEX\r\n"
)]
#[case::no_line_end(
    "images:\n- name: r/x\n  newTag: dev",
    "images:\n- name: r/x\n  newTag: dev\n  digest: sha256:HEX"
)]
#[case::pinned(
    "images:\n- {name: r/x, digest: 'sha256:HEX'}\n",
    "images:\n- {name: r/x, digest: 'sha256:HEX'}\n"
)]
#[case::no_version(
    "images:\n- {name: r/x, newName: r/y}\n",
    "images:\n- {name: r/x, newName: r/y}\n"
)]
fn kustomizations(#[case] text: &str, #[case] expected: &str) {
    let text = text.replace("HEX", HEX);
    assert_eq!(pinned("kustomization.yaml", &text, None, true), expected);
}

#[test]
fn services_of_compose() {
    let text = "services:\n  web: {image: r/x:1}\n  own: {image: r/y, build: .}\n  late: {image: 'r/z:${TAG:-dev}'}\n";
    assert_eq!(images("compose.yaml", text), ["services.web.image r/x:1"]);
    assert_eq!(images("docker-compose.override.yml", text).len(), 1);
    assert_eq!(images("other.yaml", text).len(), 0);
}

#[rstest]
#[case::kubernetes(
    "x.yaml",
    "apiVersion: v1\nkind: Pod\n",
    false,
    Some(Dialect::Kubernetes)
)]
#[case::kustomization(
    "kustomization.yml",
    "images: []\n",
    false,
    Some(Dialect::Kustomization)
)]
#[case::component(
    "c.yaml",
    "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
    false,
    Some(Dialect::Kustomization)
)]
#[case::values("values-dev.yaml", "a: 1\n", false, Some(Dialect::HelmValues))]
#[case::values_before("dev.values.yaml", "a: 1\n", false, Some(Dialect::HelmValues))]
#[case::no_values("valuesets.yaml", "a: 1\n", false, None)]
#[case::compose("docker-compose.yml", "services: {}\n", false, Some(Dialect::Compose))]
#[case::something("x.yaml", "a: 1\n", false, None)]
#[case::something_named("x.yaml", "a: 1\n", true, Some(Dialect::HelmValues))]
#[case::services_named("x.yaml", "services: {a: {}}\n", true, Some(Dialect::Compose))]
#[case::a_list("values.yaml", "- 1\n", true, None)]
fn files_are_told_apart(
    #[case] name: &str,
    #[case] text: &str,
    #[case] named: bool,
    #[case] expected: Option<Dialect>,
) {
    let yaml = Yaml::read(text).unwrap();
    let root = yaml.documents().next().unwrap();
    assert_eq!(Dialect::of(Some(name), root, named), expected);
}

#[rstest]
#[case::image(
    "pod.yaml",
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 5}]}\n",
    "5 is no text to YAML"
)]
#[case::tag(
    "values.yaml",
    "image: {repository: r/x, tag: 1.10}\n",
    "1.10 is no text to YAML"
)]
fn a_number_is_a_mistake(#[case] name: &str, #[case] text: &str, #[case] expected: &str) {
    let yaml = Yaml::read(text).unwrap();
    let found = find(&yaml, about(name));
    let said: Vec<_> = found
        .remarks
        .iter()
        .map(|remark| (&*remark.said, remark.wrong))
        .collect();
    assert!(
        said.len() == 1 && said[0].1 && said[0].0.starts_with(expected),
        "{said:?}"
    );
}
