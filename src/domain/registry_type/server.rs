//! The key of an `auths` entry: whether any image matches it, and whether more images match than its author meant.

use super::{About::Server, Findings, host_of};
use crate::domain::{reference::Reference, registry_key::RegistryKey};

/// The prepared key under which the kubelet falls back to Docker Hub's credentials.
const HUB_KEY: &str = "index.docker.io";

/// Hosts of Docker Hub that no image is pulled from by name.
const HUB_HOSTS: [&str; 7] = [
    "hub.docker.com",
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "registry.docker.io",
    "auth.docker.io",
    "docker.com",
    "www.docker.com",
];

const USE_HUB_KEY: &str = "the key of Docker Hub is https://index.docker.io/v1/";

/// Whether a host is Docker Hub's, in any of its spellings.
pub(super) fn is_hub(host: &str) -> bool {
    matches!(host, HUB_KEY | "docker.io" | "*.docker.io") || HUB_HOSTS.contains(&host)
}

pub(super) fn check(server: &str, found: &mut Findings) {
    if server.is_empty() {
        found.error(Server, "the server is empty: name the registry's host");
        return;
    }
    let Some(prepared) = RegistryKey::prepare(server) else {
        found.error(
            Server,
            "the server is no host to the kubelet, which drops the entry: write it as images do, host[:port][/path/]",
        );
        return;
    };
    let key = prepared.as_str();
    if let Some(why) = why_no_image(&prepared) {
        found.error(Server, format!("no image matches the key {key}: {why}"));
        return;
    }
    dropped(server, found);
    let host = host_of(key);
    let path = key.get(host.len()..).unwrap_or_default();
    if host.contains(|c: char| c.is_ascii_uppercase()) {
        let lower = host.to_ascii_lowercase();
        found.hint(
            Server,
            format!("only images that spell the host {host} match: write {lower}"),
        );
    }
    if host.contains('*') {
        found.hint(
            Server,
            format!("{host} sends the password to every host that matches: name the host"),
        );
    }
    if let Some(bare) = host.strip_suffix(":443") {
        found.hint(
            Server,
            format!("only images that spell the port match {host}: write {bare}"),
        );
    }
    if !path.is_empty() && !path.ends_with('/') {
        found.hint(
            Server,
            format!(
                "the key {key} matches {key}-other too, since the kubelet compares letters, not path components: \
                 end it with a slash, {key}/"
            ),
        );
    }
}

/// What the kubelet takes no notice of.
fn dropped(server: &str, found: &mut Findings) {
    let after = server.split_once("://").map_or(server, |(_, rest)| rest);
    if after.contains(['?', '#']) {
        found.hint(Server, "what follows a ? or # in the server is dropped");
    }
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        found.hint(
            Server,
            "the server holds a user, which the kubelet drops: write host[:port][/path/] only",
        );
    }
}

/// Why the kubelet finds no image that a prepared key matches; `None` if there are some.
fn why_no_image(prepared: &RegistryKey) -> Option<String> {
    let key = prepared.as_str();
    let host = host_of(key);
    let path = key.get(host.len()..).unwrap_or_default();
    let lower = host.to_ascii_lowercase();
    let below_hub = lower == HUB_KEY && key != HUB_KEY;
    if below_hub || HUB_HOSTS.contains(&lower.as_str()) || lower == "*.docker.io" {
        let organisation = path.trim_matches('/');
        if !below_hub || matches!(organisation, "" | "v1" | "v2") {
            return Some(USE_HUB_KEY.to_owned());
        }
        return Some(format!(
            "{USE_HUB_KEY}, that of one organisation docker.io/{organisation}/"
        ));
    }
    if key == HUB_KEY || matches_some(prepared) {
        return None;
    }
    Some(if path.contains([':', '@']) {
        "a key has no tag and no digest".to_owned()
    } else if path.contains(|c: char| c.is_ascii_uppercase()) {
        format!(
            "repositories are in lower case: write {host}{}",
            path.to_ascii_lowercase()
        )
    } else if !host.contains(['.', ':']) && host != "localhost" {
        format!("an image {host}/app is Docker Hub's, as a host has a dot or a port")
    } else {
        "an image cannot begin like that: write the key as images do, host[:port][/path/]"
            .to_owned()
    })
}

/// Whether some image matches: the key itself with a little behind it, any label for a `*`.
fn matches_some(prepared: &RegistryKey) -> bool {
    let spelled = prepared.as_str().replace('*', "x");
    ["x", "/x", ""].iter().any(|end| {
        let image = Reference::parse(&format!("{spelled}{end}"));
        image.is_ok_and(|image| prepared.matches(image.lookup_name()))
    })
}
