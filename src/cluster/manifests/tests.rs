use rstest::rstest;

use super::*;

// {"auths":{}}
const EMPTY: &str = "eyJhdXRocyI6e319";

fn read_one(name: &str, text: &str) -> Result<Manifests, String> {
    read(&[(name.into(), text.into())]).map_err(|error| error.to_string())
}

fn names(manifests: &Manifests) -> Vec<String> {
    let all = manifests.namespaces.iter();
    let named =
        all.flat_map(|(ns, secrets)| secrets.iter().map(move |s| format!("{ns}/{}", s.name())));
    let mut all: Vec<_> = named.collect();
    all.sort();
    all
}

#[test]
fn documents_lists_and_both_kinds_of_data() {
    let text = format!(
        "
apiVersion: v1
kind: Secret
metadata: {{ name: one, namespace: team }}
type: kubernetes.io/dockerconfigjson
data:
  .dockerconfigjson: >-
    eyJhdXRo
    cyI6e319
---
---
apiVersion: v1
kind: List
items:
- kind: Secret
  metadata: {{ name: two }}
  type: kubernetes.io/dockercfg
  stringData: {{ .dockercfg: '{{}}' }}
- kind: Secret
  metadata: {{ name: tls, namespace: team }}
  type: kubernetes.io/tls
  data: {{ tls.crt: {EMPTY} }}
- kind: ConfigMap
  metadata: {{ name: map }}
"
    );
    let manifests = read_one("s.yaml", &text).unwrap();
    assert_eq!(names(&manifests), ["default/two", "team/one"]);
    assert_eq!(
        manifests.notices,
        [
            "s.yaml: Secret team/tls is not of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg; left out",
            "s.yaml: ConfigMap default/map is not a Secret with a name; left out",
        ]
    );
}

#[test]
fn json_documents_and_a_secret_list() {
    let text = format!(
        r#"{{"kind": "SecretList", "items": [{{"metadata": {{"name": "a"}},
            "type": "kubernetes.io/dockerconfigjson", "data": {{".dockerconfigjson": "{EMPTY}"}}}}]}}
           {{"kind": "Secret", "metadata": {{"name": "b"}}, "type": "kubernetes.io/dockercfg"}}"#
    );
    let manifests = read_one("s.json", &text).unwrap();
    assert_eq!(names(&manifests), ["default/a", "default/b"]);
    let said = "s.json: Secret default/b has no .dockercfg; the kubelet ignores it";
    assert_eq!(manifests.notices, [said]);
}

#[rstest]
#[case::not_base64(
    "s.yaml",
    "kind: Secret\nmetadata: { name: a }\ntype: kubernetes.io/dockercfg\ndata:\n  .dockercfg: hunter2!\n",
    "s.yaml:5:15: the value of .dockercfg under data is not base64; plain text goes under stringData; correct it, \
     or take the file out of --pull-secrets"
)]
#[case::wrong_shape(
    "s.yaml",
    "kind: Secret\ndata: hunter2\n",
    "s.yaml:2:7: not a manifest of a Secret; correct it, or take the file out of --pull-secrets"
)]
#[case::not_yaml(
    "s.yaml",
    "kind: \"Secret\n",
    "s.yaml:2:1: not YAML; correct it, or take the file out of --pull-secrets"
)]
#[case::not_json(
    "s.json",
    "{\n  kind: 1}",
    "s.json:2:3: not JSON; correct it, or take the file out of --pull-secrets"
)]
#[case::json_shape(
    "s.json",
    "{\"data\": \"hunter2\"}",
    "s.json:1:18: not a manifest of a Secret; correct it, or take the file out of --pull-secrets"
)]
fn refused(#[case] name: &str, #[case] text: &str, #[case] said: &str) {
    assert_eq!(read_one(name, text).unwrap_err(), said);
}

#[test]
fn a_directory_holds_manifests_by_their_endings() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.yml", "a.yaml", "c.json", "d.txt", ".hidden.yaml"] {
        std::fs::write(dir.path().join(name), "").unwrap();
    }
    std::fs::create_dir(dir.path().join("sub.yaml")).unwrap();
    let found = files(dir.path()).unwrap();
    let names: Vec<_> = found
        .iter()
        .map(|(path, _)| path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["a.yaml", "b.yml", "c.json"]);
}

#[test]
fn a_path_that_is_not_there_is_named() {
    let said = files(Path::new("/nonexistent/s.yaml")).unwrap_err();
    assert_eq!(
        said.to_string(),
        "/nonexistent/s.yaml: cannot be read: No such file or directory (os error 2); check --pull-secrets and the \
         permissions of what it names"
    );
}
