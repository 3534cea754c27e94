//! Certificates of the user's own, with the authority that cotter registers, and with one that others do.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::{
    site::{Site, eventually, site},
    support::{ca::Ca, scratch::Scratch},
};

/// Writes a certificate of `ca` for the Service, as a Secret volume would show it.
fn issue(site: &Site<'_>, folder: &Scratch, ca: &Ca) {
    let me = ca.server(&[&site.host()]);
    folder.write("tls.crt", &me.cert);
    folder.write("tls.key", &me.key);
    folder.write("ca.crt", ca.pem());
}

fn flags(folder: &Scratch, names: &[&str]) -> Vec<String> {
    let file = |name: &str| folder.path().join(name).display().to_string();
    let flag = |name: &&str| {
        let of = match *name {
            "--cert" => "tls.crt",
            "--key" => "tls.key",
            _ => "ca.crt",
        };
        [(*name).to_owned(), file(of)]
    };
    names.iter().flat_map(flag).collect()
}

#[test]
fn an_authority_from_a_file_is_registered_and_exchanged_with_an_overlap() {
    let site = site!();
    let folder = Scratch::new("files");
    let (first, second) = (Ca::new("first"), Ca::new("second"));
    issue(&site, &folder, &first);
    let flags = flags(&folder, &["--cert", "--key", "--ca"]);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let replica = site.ready(&flags);
    assert!(site.is_answered(&replica));
    let ends = "cotter_certificate_not_after_timestamp_seconds{kind=\"leaf\"}";
    assert!(replica.metric(ends) > 1.7e9, "{}", replica.metric(ends));
    assert_eq!(site.shared("ca.crt"), "", "no authority of cotter's own");
    folder.write("ca.crt", [first.pem(), second.pem()].concat());
    eventually("both", || {
        (site.hook(0).0.matches("BEGIN").count() == 2).then_some(())
    });
    assert!(site.is_answered(&replica));
    issue(&site, &folder, &second);
    eventually("the new certificate", || {
        replica
            .post(&site.host(), second.pem(), &site.hook(0).1)
            .ok()
    });
    assert!(site.is_answered(&replica));
    assert_eq!(
        site.hook(0).0.matches("BEGIN").count(),
        2,
        "other replicas may still serve the old one"
    );
}

#[test]
fn where_others_keep_the_bundle_only_the_path_is_written() {
    let site = site!();
    let folder = Scratch::new("files");
    let ca = Ca::new("others");
    issue(&site, &folder, &ca);
    let flags = flags(&folder, &["--cert", "--key"]);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let mut replica = site.start(&flags);
    eventually("the path", || {
        site.hook(2).1.starts_with("/mutate/").then_some(())
    });
    let expected = "the caBundle of webhook pods.cotter.dev is empty";
    eventually(expected, || {
        replica.ops("/readyz").1.contains(expected).then_some(())
    });
    assert_eq!(site.hook(0).0, "");
    let value = json!(BASE64_STANDARD.encode(ca.pem()));
    site.edit(&json!([
        {"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": value},
        {"op": "add", "path": "/webhooks/2/clientConfig/caBundle", "value": value},
    ]));
    replica.wait_until_ready();
    assert!(site.is_answered(&replica));
    assert_eq!(site.hook(0).0, ca.pem(), "not a byte of it is changed");
}

#[test]
fn a_certificate_for_another_name_is_said_to_be_one() {
    let site = site!();
    let folder = Scratch::new("files");
    let ca = Ca::new("ours");
    issue(&site, &folder, &ca);
    let me = ca.server(&["cotter.example.org"]);
    folder.write("tls.crt", &me.cert);
    folder.write("tls.key", &me.key);
    let flags = flags(&folder, &["--cert", "--key", "--ca"]);
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let replica = site.start(&flags);
    let expected = format!("the certificate is not for {}", site.host());
    eventually(&expected, || {
        replica.ops("/readyz").1.contains(&expected).then_some(())
    });
}
