//! The host that somebody wrote, as a host, a login server or a URL, taken apart.

use super::{Field, Hint, Problem};
use crate::domain::reference::Reference;

/// What was written, checked, in lower case.
pub(super) struct Address {
    /// Where it was written.
    pub(super) field: Field,
    /// `host[:port]`, as images spell it.
    pub(super) host: String,
    /// What follows the host, without slashes at its ends and without the version of the API.
    pub(super) path: String,
    /// What was made of it.
    pub(super) notes: Vec<Hint>,
}

const SHAPE: &str = "write it as images do, host[:port][/path]";

/// Docker Hub's older name, which references normalise away.
const LEGACY_HUB: &str = "index.docker.io";

impl Address {
    /// Takes `text` apart. A `spec.host` has to be one; a URL in another field is reduced to one.
    pub(super) fn parse(field: Field, text: &str) -> Result<Self, Problem> {
        let problem = |text: String| Err(Problem::new(field.clone(), text));
        if let Some(why) = malformed(text) {
            return problem(why);
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, text),
        };
        if !scheme.is_none_or(is_http) {
            return problem(format!(
                "only https:// has a meaning in front of a host: {SHAPE}"
            ));
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = without_version(path.trim_matches('/'));
        let (lower, lower_path) = (host.to_ascii_lowercase(), path.to_ascii_lowercase());
        let reduced = joined(&lower, &lower_path);
        if path.contains(':') {
            return problem(
                "a tag names one image, and a Registry is for all of them: leave it out".to_owned(),
            );
        }
        if let Some(why) = no_host(&lower) {
            return problem(why);
        }
        if field == Field::Host && scheme.is_some() {
            return problem(format!("a host has no scheme: write {reduced}"));
        }
        if field == Field::Host && host != lower {
            return problem(format!(
                "images spell their host in lower case: write {reduced}"
            ));
        }
        let mut notes = Vec::new();
        if reduced != text {
            notes.push(Hint::new(field.clone(), format!("read as {reduced}")));
        }
        if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("http")) {
            let text = "http:// is not kept: a registry is asked by plain HTTP where registries[].plainHttp of cotter.yaml \
                        says so";
            notes.push(Hint::new(field.clone(), text));
        }
        Ok(Self {
            field,
            host: lower,
            path: lower_path,
            notes,
        })
    }

    /// The host without its port.
    pub(super) fn bare_host(&self) -> &str {
        match self.host.rsplit_once(':') {
            Some((bare, _)) if !self.host.ends_with(']') => bare,
            _ => &self.host,
        }
    }
}

/// `host/path`, or the host alone.
fn joined(host: &str, path: &str) -> String {
    if path.is_empty() {
        host.to_owned()
    } else {
        format!("{host}/{path}")
    }
}

fn is_http(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

/// What no host and no URL of a registry has. The text is not repeated, since it may hold a password.
fn malformed(text: &str) -> Option<String> {
    let why = if text.is_empty() {
        "empty: name the registry's host"
    } else if text.contains("@sha256:") || text.contains("@sha512:") {
        "a digest names one image, and a Registry is for all of them: leave it out"
    } else if text.contains('@') {
        "a user or password does not belong here: leave out what stands in front of the @, and put it into the \
         credential Secret"
    } else if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        "white space or a control character has no place in a host: remove it"
    } else if text.contains(['?', '#']) {
        return Some(format!("? and # have no place in a host: {SHAPE}"));
    } else if text.contains('*') {
        "a wildcard would send the credential to every host that matches: name the host"
    } else {
        return None;
    };
    Some(why.to_owned())
}

/// Why no image has this host; `None` if some may.
fn no_host(host: &str) -> Option<String> {
    let port = match host.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => Some(port),
        _ => None,
    };
    let is_port = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if port.is_some_and(|port| !is_port(port)) {
        return Some(
            "what follows the colon is no port (1 to 65535), and a host has no tag".to_owned(),
        );
    }
    let image = Reference::parse(&format!("{host}/x")).ok();
    match image.as_ref().map(Reference::domain) {
        Some(domain) if domain == host || host == LEGACY_HUB => None,
        Some(domain) if !domain.is_empty() => Some(format!(
            "an image {host}/app is Docker Hub's, since a host has a dot or a port: write it in full"
        )),
        _ => Some(format!("no image can have such a host: {SHAPE}")),
    }
}

/// Without the `v1` or `v2` of the registry's API, which URLs carry and images do not.
fn without_version(path: &str) -> &str {
    match path.split_once('/') {
        Some(("v1" | "v2", rest)) => rest,
        None if matches!(path, "v1" | "v2") => "",
        _ => path,
    }
}
