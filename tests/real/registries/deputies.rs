//! Who may write a `Registry` cannot have cotter send a credential to a host that it is not for.

use serde_json::{Value, json};

use super::{REGISTRIES, Site};
use crate::{
    hostile::{Hostile, Tricks, Wants},
    lab::{Cotter, Lab, config, eventually, lab},
    support::{https_server::runtime, registry_part::ALICE, scratch::Scratch},
};

/// What AWS' SDK takes for an identity of its own.
const IDENTITY: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    (
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// Specs that would send a credential to the host THIEF, each as a change of one that does not.
const SPECS: [(&str, &str); 7] = [
    ("another host", r#"{"host": "THIEF"}"#),
    (
        "a login server",
        r#"{"host": null, "loginServer": "THIEF"}"#,
    ),
    ("a URL", r#"{"host": null, "url": "https://THIEF/v2/"}"#),
    ("Azure's, elsewhere", r#"{"type": "ACR", "host": "THIEF"}"#),
    ("Quay, elsewhere", r#"{"type": "Quay", "host": "THIEF"}"#),
    (
        "ECR, elsewhere",
        r#"{"type": "ECR", "host": "THIEF", "region": "eu-central-1"}"#,
    ),
    (
        "cotter's own identity, elsewhere",
        r#"{"type": "ECR", "host": "THIEF", "region": "eu-central-1", "credentials": null}"#,
    ),
];

/// How a registry would send its clients to another.
type Trick = fn(&mut Tricks, &str);

fn hostile(tricks: Tricks) -> Hostile {
    runtime().block_on(Hostile::start(tricks))
}

/// A server that asks everybody for a password.
fn thief() -> Hostile {
    hostile(Tricks {
        wants: Wants::Basic,
        ..Tricks::default()
    })
}

/// What was sent to it of credentials.
fn stolen(thief: &Hostile) -> Vec<String> {
    let seen = thief.take_seen().into_iter();
    seen.filter_map(|seen| seen.authorization).collect()
}

/// A cotter whose configuration allows these hosts, so that nothing but what is under test holds a credential back.
fn start<'a>(lab: &'a Lab, scratch: &Scratch, hosts: &[&Hostile]) -> Site<'a> {
    let own = config(&[lab.tokens], "");
    let mut allowed: Vec<Value> =
        serde_json::from_str(own.trim().trim_start_matches("registries: ")).unwrap();
    for host in hosts {
        let ca = scratch.write(&format!("{}.pem", host.port()), host.ca_pem());
        allowed.push(json!({"host": host.host(), "caFile": ca, "allowPrivate": true}));
    }
    let config = format!("registries: {}\n", Value::from(allowed));
    Site::start_by(lab, |own| {
        let args = ["--registries", "--namespace", own, "--pod-name", "cotter-0"];
        Cotter::start_in(&lab.plane, &config, &args, &IDENTITY)
    })
}

fn changed(mut registry: Value, change: &str) -> Value {
    let change: Value = serde_json::from_str(change).unwrap();
    for (member, value) in change.as_object().unwrap() {
        registry["spec"][member] = value.clone();
    }
    registry
}

#[test]
fn a_spec_does_not_send_a_credential_elsewhere() {
    let lab = lab!();
    let (scratch, thief) = (Scratch::new("thief"), thief());
    let site = start(&lab, &scratch, &[&thief]);
    let shop = site.namespace("shop");
    site.credential(ALICE.1);
    for (row, change) in SPECS {
        let change = change.replace("THIEF", &thief.host());
        site.apply(&changed(site.registry(&[&shop]), &change));
        let said = site.becomes("Valid", "False", "OtherCredential");
        assert!(said.contains(&thief.host()), "{row}: {said}");
        assert_eq!(stolen(&thief), [] as [String; 0], "{row}");
        let path = format!("{REGISTRIES}/{}", site.name);
        lab.plane.request("DELETE", &path, None);
    }
    site.apply(&site.registry(&[&shop]));
    site.becomes("Ready", "True", "Ready");
    let moved = json!({"host": thief.host()}).to_string();
    site.apply(&changed(site.registry(&[&shop]), &moved));
    site.becomes("Valid", "False", "OtherCredential");
    assert_eq!(stolen(&thief), [] as [String; 0]);
    assert_eq!(site.password(&shop).as_deref(), Some(ALICE.1), "it stays");
}

#[test]
fn another_registry_does_not_take_the_credential() {
    let lab = lab!();
    let scratch = Scratch::new("thief");
    let mut site = start(&lab, &scratch, &[]);
    let (shop, bank) = (site.namespace("shop"), site.namespace("bank"));
    site.credential(ALICE.1);
    site.apply(&site.registry(&[&shop]));
    site.becomes("Ready", "True", "Ready");
    let mut other = site.registry(&[&bank]);
    let first = std::mem::replace(&mut site.name, format!("{}-too", site.own));
    other["metadata"]["name"] = json!(site.name);
    site.apply(&other);
    let said = site.becomes("Valid", "False", "OtherCredential");
    assert!(said.contains(&first) && said.contains(&site.name), "{said}");
    assert_eq!(site.password(&bank), None);
    lab.plane
        .request("DELETE", &format!("{REGISTRIES}/{first}"), None);
}

#[test]
fn a_registry_does_not_send_its_credential_on() {
    let lab = lab!();
    let (scratch, thief) = (Scratch::new("thief"), thief());
    let tricks: [(&str, Trick); 2] = [
        ("its token server is elsewhere", |tricks, thief| {
            tricks.wants = Wants::Bearer;
            tricks.realm = Some(format!("https://{thief}/token"));
        }),
        ("its manifests are elsewhere", |tricks, thief| {
            tricks.wants = Wants::Basic;
            tricks.redirect = Some(format!("https://{thief}/v2/acme/app/manifests/dev"));
        }),
    ];
    for (row, trick) in tricks {
        let front = hostile(Tricks::default());
        front.trick(|tricks| trick(tricks, &thief.host()));
        let site = start(&lab, &scratch, &[&front, &thief]);
        let shop = site.namespace("shop");
        site.credential_for(&front.host(), ALICE.1);
        let change = json!({"host": front.host()}).to_string();
        site.apply(&changed(site.registry(&[&shop]), &change));
        let path = format!("{REGISTRIES}/{}", site.name);
        let said = eventually(row, || {
            let (status, _, said) = site.condition("Authenticated")?;
            (status == "False").then_some(said)
        });
        assert!(!said.contains(ALICE.1), "{row}: {said}");
        assert_eq!(stolen(&thief), [] as [String; 0], "{row}: {said}");
        lab.plane.request("DELETE", &path, None);
    }
}
