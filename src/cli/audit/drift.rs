//! Whether what runs is what its tag means now.

use serde::Serialize;

use crate::{
    domain::{digest::Digest, reference::Reference},
    registry::members::Members,
};

/// How what runs compares with what its tag means now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) enum Drift {
    /// It is the same image: the index, one of its manifests, or the configuration of one.
    Same,
    /// The runtime tells of an image that cannot be compared, or the tag's image could not be read.
    Unknown,
    /// It is another image of the same repository.
    Drifted,
}

/// What a container runtime says that a container runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ImageId<'a> {
    /// The repository under which it was pulled, where it is told.
    repository: Option<&'a str>,
    /// The digest of an index, a manifest or a configuration.
    pub(super) digest: Digest,
}

// === impl ImageId ===

impl<'a> ImageId<'a> {
    /// Reads `imageID`: `repository@sha256:…` of containerd and CRI-O, `docker-pullable://repository@sha256:…`, a bare
    /// `sha256:…` or its figures where an image has no name but its configuration's.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        let (repository, digest) = match text.rsplit_once('@') {
            Some((repository, digest)) => (Some(repository), digest),
            None => (None, text),
        };
        let digest = Digest::parse(digest);
        let digest = digest.or_else(|_| Digest::parse(&format!("sha256:{text}")));
        Some(Self {
            repository,
            digest: digest.ok()?,
        })
    }

    /// Whether the tag's image has to be read to compare it.
    pub(super) fn needs_members(&self, now: &Digest) -> bool {
        self.digest != *now
    }

    fn is_of(&self, reference: &Reference) -> bool {
        let named = self.repository.map(Reference::parse);
        named.is_some_and(|named| named.is_ok_and(|n| n.lookup_name() == reference.lookup_name()))
    }
}

/// Compares what runs with `now`, which the tag of `reference` means; `members` is what that image is made of.
pub(super) fn drift(
    running: &ImageId<'_>,
    reference: &Reference,
    now: &Digest,
    members: Option<&Members>,
) -> Drift {
    // A node that has the same content under two names may tell the other one.
    match members {
        _ if running.digest == *now => Drift::Same,
        Some(members) if members.contains(&running.digest) => Drift::Same,
        Some(_) if running.is_of(reference) => Drift::Drifted,
        _ => Drift::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn digest(of: &str) -> Digest {
        Digest::of(of.as_bytes())
    }

    fn members() -> Members {
        Members {
            manifests: vec![digest("amd64"), digest("arm64")],
            configs: vec![digest("config")],
        }
    }

    #[rstest]
    #[case::the_index("ghcr.io/acme/app@", "index", Drift::Same)]
    #[case::a_manifest_of_it("ghcr.io/acme/app@", "arm64", Drift::Same)]
    #[case::a_configuration_by_name("ghcr.io/acme/app@", "config", Drift::Same)]
    #[case::a_bare_configuration("", "config", Drift::Same)]
    #[case::of_docker("docker-pullable://ghcr.io/acme/app@", "index", Drift::Same)]
    #[case::dockers_own_id("docker://", "config", Drift::Same)]
    #[case::another_image_of_the_repository("ghcr.io/acme/app@", "old", Drift::Drifted)]
    #[case::of_docker_and_another("docker-pullable://ghcr.io/acme/app@", "old", Drift::Drifted)]
    #[case::another_repository("ghcr.io/acme/other@", "old", Drift::Unknown)]
    #[case::a_bare_one_that_nobody_knows("", "old", Drift::Unknown)]
    fn what_runs_against_the_tag(
        #[case] name: &str,
        #[case] content: &str,
        #[case] expected: Drift,
    ) {
        let text = format!("{name}{}", digest(content));
        let id = ImageId::read(&text).unwrap();
        let reference = Reference::parse("ghcr.io/acme/app:dev").unwrap();
        let found = drift(&id, &reference, &digest("index"), Some(&members()));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_hub_name_is_compared_normalised() {
        let text = format!("docker.io/library/nginx@{}", digest("old"));
        let id = ImageId::read(&text).unwrap();
        let reference = Reference::parse("nginx").unwrap();
        let found = drift(&id, &reference, &digest("index"), Some(&members()));
        assert_eq!(found, Drift::Drifted);
    }

    #[test]
    fn an_image_that_cannot_be_read_cannot_be_compared() {
        let text = format!("nginx@{}", digest("old"));
        let id = ImageId::read(&text).unwrap();
        let reference = Reference::parse("nginx").unwrap();
        assert_eq!(
            drift(&id, &reference, &digest("index"), None),
            Drift::Unknown
        );
    }

    #[test]
    fn what_is_no_digest_is_not_compared() {
        assert_eq!(ImageId::read("nginx:latest"), None);
        let figures = digest("config").to_string();
        let figures = figures.trim_start_matches("sha256:");
        assert_eq!(
            ImageId::read(figures).map(|id| id.digest),
            Some(digest("config"))
        );
    }
}
