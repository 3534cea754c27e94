use rstest::rstest;

use super::*;
use crate::domain::policy::{PinStyle, ShortNames, Stickiness, Verdict, Workloads};

const DESIGN: &str = include_str!("design.yaml");

fn read(text: &str) -> Result<FileConfig, String> {
    let pem = |path: &Path| match path.to_str() {
        Some("/etc/cotter/ca/internal.pem" | "/config/ca.pem") => Ok(certificate().into_bytes()),
        Some("/config/broken.pem") => Ok(b"-----BEGIN CERTIFICATE-----\nnope".to_vec()),
        Some("/config/key.pem") => Ok(b"hello".to_vec()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    parse(
        "cotter.yaml",
        Some(Path::new("/config")),
        text.as_bytes(),
        &pem,
    )
    .map_err(|error| error.to_string())
}

fn certificate() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(["ca.internal".to_owned()]).unwrap();
    params.self_signed(&key).unwrap().pem()
}

#[test]
fn the_whole_file() {
    let FileConfig {
        policies,
        registries,
        resolve,
        notices,
    } = read(DESIGN).unwrap();
    assert_eq!(resolve, Resolve::default());
    let standard = policies.choose(None).unwrap();
    assert_eq!(**standard, Policy::default());
    let strict = policies.choose(Some("strict")).unwrap();
    assert_eq!(**strict, Policy::strict());
    let [host] = &*registries else {
        panic!("{registries:?}");
    };
    assert_eq!(host.host, "registry.internal:5000");
    assert_eq!(host.ca.len(), 1);
    assert_eq!(host.auth_hosts, ["auth.internal"]);
    assert!(host.allow_private && !host.plain_http);
    assert_eq!(host.credentials, CredentialSource::Pod);
    assert_eq!(host.mirrors, ["harbor.internal/hub-proxy"]);
    assert_eq!(notices, [""; 0]);
}

#[rstest]
#[case::empty("")]
#[case::comment("# nothing yet\n")]
#[case::separator("---\n")]
#[case::empty_keys("policies:\nregistries:\nresolve:\n")]
fn nothing_is_the_built_in(#[case] text: &str) {
    let FileConfig {
        policies,
        registries,
        resolve,
        notices,
    } = read(text).unwrap();
    assert!(policies.choose(Some("strict")).is_ok() && policies.choose(Some("standard")).is_ok());
    assert!(registries.is_empty() && notices.is_empty());
    assert_eq!(resolve, Resolve::default());
}

#[test]
fn a_policy_of_ones_own() {
    let text = "\
defaultPolicy: team
policies:
  team:
    pin: { keepTag: false, immutableTags: ['v*'], skip: [], stickiness: none }
    canonicalise: { shortNames: leave }
    inject: { enabled: false }
    onFailure: { notFound: deny }
    workloads: off
  plain:
";
    let policies = read(text).unwrap().policies;
    let team = policies.choose(None).unwrap();
    assert!(!team.pin.keep_tag && team.pin.skip.is_empty());
    assert!(team.pin.is_immutable("v1") && !team.pin.is_immutable("dev"));
    assert_eq!(team.pin.stickiness, Stickiness::None);
    assert_eq!(team.pin.style, PinStyle::Digest);
    assert_eq!(team.canonicalise.short_names, ShortNames::Leave);
    assert!(!team.inject.enabled);
    assert_eq!(team.on_failure.not_found, Verdict::Deny);
    assert_eq!(team.on_failure.invalid, Verdict::Warn);
    assert_eq!(team.workloads, Workloads::Off);
    assert_eq!(**policies.choose(Some("plain")).unwrap(), Policy::default());
    assert!(policies.choose(Some("strict")).is_err());
}

#[test]
fn resolve_and_registries_in_other_spellings() {
    let text = "\
registries:
- { host: 'localhost:5000', plainHttp: true, allowPrivate: true }
- { host: 123456789012.dkr.ecr.eu-central-1.amazonaws.com, credentials: node }
- { host: r.internal, caFile: ca.pem }
resolve:
  fresh: 500ms
  ttl: 1m30s
  maxStale: 0s
  perRegistry: 8
  offline: true
  denyCidrs: [10.96.0.0/12, 'fd00::/8']
  allowCidrs: [0.0.0.0/0]
";
    let FileConfig {
        registries,
        resolve,
        notices,
        ..
    } = read(text).unwrap();
    assert_eq!(registries.len(), 3);
    assert_eq!(
        registries[2].ca_file.as_deref(),
        Some(Path::new("/config/ca.pem"))
    );
    assert_eq!(resolve.fresh, Duration::from_millis(500));
    assert_eq!(resolve.ttl, Duration::from_secs(90));
    assert!(resolve.offline && resolve.max_stale.is_zero());
    assert_eq!(resolve.per_registry, 8);
    assert_eq!(resolve.deny_cidrs.len(), 2);
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(
        notices
            .iter()
            .any(|said| said.starts_with("resolve.offline: no registry is asked"))
    );
}

#[rstest]
#[case::ecr("123456789012.dkr.ecr.eu-central-1.amazonaws.com", false)]
#[case::artifact_registry("europe-docker.pkg.dev", false)]
#[case::acr("shop.azurecr.io", false)]
#[case::no_clouds("ghcr.io", true)]
#[case::own("registry.internal:5000", true)]
fn a_node_held_host_without_a_cloud_is_said(#[case] host: &str, #[case] is_said: bool) {
    let text = format!("registries: [{{host: '{host}', credentials: node}}]");
    let notices = read(&text).unwrap().notices;
    let said = format!(
        "registries: `credentials: node` of {host}: cotter has a login of its own only at ECR, Artifact Registry, gcr.io \
         and ACR, and this is none of them; its images are resolved anonymously"
    );
    let expected = if is_said { vec![said] } else { Vec::new() };
    assert_eq!(notices, expected);
}

#[rstest]
#[case::unknown_key(
    "policies:\n  standard:\n    pin: { styl: digest }\n",
    "3:12: unknown key \"styl\"; accepted: style, keepTag, pinImmutable, immutableTags, skip, stickiness"
)]
#[case::unknown_top_key(
    "polices: {}\n",
    "1:1: unknown key \"polices\"; accepted: defaultPolicy, policies, registries, resolve"
)]
#[case::unknown_value(
    "policies:\n  standard:\n    pin:\n      style: sha\n",
    "4:14: style: unknown value \"sha\"; accepted: digest, git-sha"
)]
#[case::unknown_verdict(
    "policies: { standard: { onFailure: { notFound: ignore } } }\n",
    "1:48: notFound: unknown value \"ignore\"; accepted: warn, deny"
)]
#[case::not_a_switch(
    "policies:\n  standard:\n    allowSkip: maybe\n",
    "3:16: allowSkip: not a switch; accepted: true, false"
)]
#[case::not_a_list(
    "policies:\n  standard:\n    pin:\n      skip: docker.io/**\n",
    "4:13: skip: a list belongs here, as in [a, b]"
)]
#[case::key_twice(
    "resolve:\n  ttl: 1m\n  ttl: 2m\n",
    "3:3: the key \"ttl\" is given twice; keep one of them"
)]
#[case::default_unknown(
    "defaultPolicy: lax\n",
    "1:16: defaultPolicy: \"lax\" is not among the policies; accepted: standard, strict"
)]
#[case::default_left_out(
    "policies:\n  team: {}\n",
    "2:3: defaultPolicy: \"standard\" is not among the policies; accepted: team"
)]
#[case::no_policies(
    "policies: {}\n",
    "1:11: defaultPolicy: \"standard\" is not among the policies; add one, or remove `policies` for the built-in ones"
)]
#[case::name_no_label_can_hold(
    "defaultPolicy: my policy\npolicies:\n  my policy: {}\n",
    "3:3: \"my policy\" cannot be chosen by a label; use at most 63 letters, digits, hyphens, dots and underscores, \
     the first and last a letter or a digit"
)]
#[case::host_with_a_scheme(
    "registries:\n- host: https://ghcr.io/v2/\n",
    "2:9: host: a scheme does not belong here; write ghcr.io"
)]
#[case::host_missing("registries:\n- plainHttp: true\n", "2:3: the key `host` is missing")]
#[case::host_twice(
    "registries:\n- host: ghcr.io\n- host: ghcr.io\n",
    "3:9: host: ghcr.io is given twice, first in line 2; put everything about it in one place"
)]
#[case::credentials(
    "registries:\n- { host: ghcr.io, credentials: nodes }\n",
    "2:33: credentials: unknown value \"nodes\"; accepted: pod, node"
)]
#[case::ca_missing(
    "registries:\n- host: r.internal\n  caFile: gone.pem\n",
    "3:11: caFile: /config/gone.pem cannot be read: entity not found; name a PEM file with the registry's CA certificates"
)]
#[case::ca_without_certificate(
    "registries:\n- host: r.internal\n  caFile: key.pem\n",
    "3:11: caFile: /config/key.pem holds no certificate; name a PEM file with the registry's CA certificates"
)]
#[case::ca_with_plain_http(
    "registries:\n- host: r.internal\n  plainHttp: true\n  caFile: ca.pem\n",
    "4:11: caFile: plain HTTP has no certificates; remove caFile or plainHttp"
)]
#[case::mirror(
    "registries:\n- host: docker.io\n  mirrors: [https://harbor.internal]\n",
    "3:13: mirrors: \"https://harbor.internal\" is not a mirror; write host[:port][/path] without a scheme, as in \
     harbor.internal/hub-proxy"
)]
#[case::bare_number(
    "resolve:\n  ttl: 60\n",
    "2:8: ttl: \"60\" has no unit; write a duration such as 500ms, 2s, 1m30s or 24h"
)]
#[case::cidr(
    "resolve: { denyCidrs: [10.0.0.1] }\n",
    "1:24: denyCidrs: \"10.0.0.1\" is an address, not a range; write 10.0.0.1/32"
)]
#[case::per_registry(
    "resolve: { perRegistry: 0 }\n",
    "1:25: perRegistry: 0 is out of range; write 1 to 1000, how many requests a registry gets at once"
)]
#[case::per_registry_not_a_number(
    "resolve: { perRegistry: many }\n",
    "1:25: perRegistry: not a number that fits here; write a whole number without a unit"
)]
#[case::timeout(
    "resolve: { timeout: 1m }\n",
    "1:21: timeout: 1m is out of range; write more than 0s and at most 30s, the longest that an API server waits"
)]
#[case::fresh_beyond_ttl(
    "resolve: { ttl: 1s }\n",
    "1:17: fresh (2s) is longer than ttl (1s); write a fresh of at most the ttl"
)]
#[case::stale_below_ttl(
    "resolve: { maxStale: 10s }\n",
    "1:22: maxStale (10s) is shorter than ttl (1m); write at least the ttl, or 0s to turn it off"
)]
#[case::two_documents(
    "resolve: {}\n---\nresolve: {}\n",
    "3:1: a second document starts here; keep one document in the file"
)]
#[case::not_a_mapping("- a\n", "1:1: keys and values belong here, as in key: value")]
fn refused(#[case] text: &str, #[case] said: &str) {
    assert_eq!(read(text).unwrap_err(), format!("cotter.yaml:{said}"));
}

#[test]
fn all_bad_values_are_named_at_once_in_the_order_of_the_file() {
    let text = "defaultPolicy: lax\nresolve: { ttl: 60, fresh: 1 }\nregistries: [{ host: A.io }]\n";
    let said = read(text).unwrap_err();
    let places: Vec<_> = said
        .lines()
        .map(|l| l.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "cotter.yaml:1:16",
            "cotter.yaml:2:17",
            "cotter.yaml:2:28",
            "cotter.yaml:3:22"
        ]
    );
}

#[test]
fn broken_pem_names_the_key() {
    let said = read("registries: [{ host: a.io, caFile: broken.pem }]").unwrap_err();
    assert!(
        said.starts_with("cotter.yaml:1:36: caFile: /config/broken.pem "),
        "{said}"
    );
}
