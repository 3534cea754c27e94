//! The registries that the bench's images are in.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::support::oci_registry::{Image, OciRegistry};

pub(crate) const USER: &str = "bench";
pub(crate) const PASSWORD: &str = "open sesame";

/// A registry this far away that holds these tags of these private repositories.
pub(crate) async fn start(
    round_trip: Duration,
    repositories: &[String],
    tags: &[&str],
) -> OciRegistry {
    let registry = OciRegistry::start().await;
    registry.set_round_trip(round_trip);
    let names: Vec<_> = repositories.iter().map(String::as_str).collect();
    registry.add_user(USER, PASSWORD, &names);
    for repository in names {
        for tag in tags {
            let image = Image::new(&format!("{repository} {tag}"));
            registry.push(
                repository,
                tag,
                &image.for_platforms(&["linux/amd64", "linux/arm64"]),
            );
        }
    }
    registry
}

pub(crate) fn address(registry: &OciRegistry) -> Result<SocketAddr> {
    Ok(registry.host().parse()?)
}

/// The user and the password as HTTP and docker configurations encode them.
pub(crate) fn credentials() -> String {
    BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"))
}

/// `count` repositories of one owner.
pub(crate) fn repositories(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("bytequester/service-{n}"))
        .collect()
}

/// References to one tag of each repository.
pub(crate) fn images(registry: &OciRegistry, repositories: &[String], tag: &str) -> Vec<String> {
    let host = registry.host();
    let reference = |repository| format!("{host}/{repository}:{tag}");
    repositories.iter().map(reference).collect()
}
