//! Looking one image up.

use std::sync::Arc;

use super::report::{
    Evidence, GitSha, ImageReport, ImmutableBy, Kubelet, Outcome, PlatformReport, WayReport,
};
use crate::{
    cli::{
        answer::{CredentialReport, Trouble},
        asking::{Asker, Attempts, Unanswered},
        credentials::{Credentials, Way},
        output::printable,
    },
    domain::{
        digest::Digest,
        git_sha,
        policy::{Cause, PinStyle, Policy},
        question::Resolution,
        reference::{self, Canonical, Reference, ReferenceError},
    },
    registry::{
        describe::{Depth, Description, RevisionPlace},
        remedy,
    },
};

/// How images are looked up.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) asker: Asker,
    pub(super) policy: Arc<Policy>,
    pub(super) no_network: bool,
}

// === impl Look ===

impl Look {
    /// All that can be told of `image`.
    pub(super) async fn at(&self, image: &str) -> ImageReport {
        let mut report = ImageReport {
            image: image.to_owned(),
            ..ImageReport::default()
        };
        let canonicalised = reference::canonicalise(image, self.policy.canonicalise.qualify);
        report.kubelet = Kubelet::of(image, canonicalised.as_ref().ok());
        match canonicalised {
            Ok(canonical) => self.look(&canonical, &mut report).await,
            Err(error) => report.error = Some(invalid(&error)),
        }
        report
    }

    async fn look(&self, canonical: &Canonical, report: &mut ImageReport) {
        let image = &canonical.reference;
        report.canonical = Some(canonical.text.to_string());
        report.reference = Some(image.tagged_text().into_owned());
        report.immutable_by = self.immutable_by(image);
        report.mutable = Some(report.immutable_by.is_none());
        if self.no_network {
            // A helper of Docker's may ask a network of its own.
            if let Credentials::PullSecrets(secrets) = &self.asker.credentials {
                let ways = secrets.ways(image);
                report.ways = WayReport::all(&ways, &[]);
            }
            return;
        }
        let attempts = match self.asker.attempt(image, PinStyle::Digest).await {
            Ok(attempts) => attempts,
            Err(why) => return report.fail(image, &why, false),
        };
        report.ways = WayReport::all(&attempts.ways, &attempts.outcomes);
        let named = attempts.sent_a_credential();
        match attempts.answered() {
            Ok(answered) => {
                let digest = answered.resolved.digest;
                report.credential = Some(CredentialReport::of(&answered.way));
                report.pinned = Some(canonical.pinned(image.tag(), &digest));
                report.digest = Some(digest.to_string());
                self.describe(image, &answered.way, &digest, report).await;
            }
            Err(why) => report.fail(image, &why, named),
        }
    }

    /// Why the tag does not move, if it does not.
    fn immutable_by(&self, image: &Reference) -> Option<ImmutableBy> {
        if image.digest().is_some() {
            return Some(ImmutableBy::Digest);
        }
        let tag = image.tag_or_default().unwrap_or_default();
        if git_sha::is_git_sha(tag) {
            Some(ImmutableBy::GitSha)
        } else {
            let is_immutable = self.policy.pin.is_immutable(tag);
            is_immutable.then_some(ImmutableBy::Policy)
        }
    }

    async fn describe(&self, image: &Reference, way: &Way, digest: &Digest, to: &mut ImageReport) {
        let (client, place) = (&self.asker.client, way.place(image));
        let described = client.describe(place, digest, Depth::Sizes).await;
        match described {
            Ok(described) => to.take(described),
            Err(failure) => to.incomplete = Some(printable(&failure.detail)),
        }
    }
}

fn invalid(error: &ReferenceError) -> Trouble {
    Trouble {
        cause: Cause::Invalid.as_str(),
        message: printable(&error.to_string()),
        remedy: remedy::of("", Cause::Invalid, false).into_owned(),
    }
}

// === impl ImageReport ===

impl ImageReport {
    fn fail(&mut self, image: &Reference, why: &Unanswered, named: bool) {
        let (host, _) = image.endpoint();
        self.error = Some(Trouble::unanswered(host, why, named));
    }

    fn take(&mut self, described: Description) {
        let Description {
            media_type,
            platforms,
            created,
            revision,
        } = described;
        self.media_type = Some(media_type);
        self.created = created;
        let platforms = platforms.into_iter().map(|one| PlatformReport {
            platform: one.platform,
            digest: one.digest.to_string(),
            size: one.size,
        });
        self.platforms = platforms.collect();
        self.git_sha = revision.map(|revision| GitSha {
            commit: revision.commit,
            evidence: match revision.place {
                RevisionPlace::Index => Evidence::IndexAnnotation,
                RevisionPlace::Manifest => Evidence::ManifestAnnotation,
                RevisionPlace::Label => Evidence::ConfigLabel,
            },
            name: revision.name,
            tag: revision.tag,
        });
    }
}

// === impl Kubelet ===

impl Kubelet {
    /// What the kubelet makes of `text`, which `meant` is what its author means.
    fn of(text: &str, meant: Option<&Canonical>) -> Self {
        if text.trim() != text {
            let problem = "white space around it: the API server refuses it in a Pod".to_owned();
            return Self {
                problem: Some(problem),
                ..Self::default()
            };
        }
        let read = match Reference::parse(text) {
            Ok(read) => read,
            Err(error) => {
                return Self {
                    problem: Some(printable(&error.to_string())),
                    ..Self::default()
                };
            }
        };
        let (host, _) = read.endpoint();
        let meant = meant.map(|meant| meant.reference.endpoint().0);
        let problem = meant
            .filter(|meant| *meant != host)
            .map(|meant| format!("it takes {host} for the host, where {meant} is meant"));
        Self {
            accepts: true,
            reference: Some(read.tagged_text().into_owned()),
            problem,
        }
    }
}

// === impl WayReport ===

impl WayReport {
    fn all(ways: &[Way], outcomes: &[Resolution]) -> Vec<Self> {
        let outcomes = outcomes.iter().map(Some).chain(std::iter::repeat(None));
        let report = |(way, outcome): (&Way, Option<&Resolution>)| {
            let failure = outcome.and_then(|outcome| outcome.as_ref().err());
            Self {
                credential: CredentialReport::of(way),
                outcome: Outcome::of(outcome),
                detail: failure.map(|failure| printable(&failure.detail)),
            }
        };
        ways.iter().zip(outcomes).map(report).collect()
    }
}

// === impl Attempts ===

impl Attempts {
    /// Whether user and password were sent to anybody.
    fn sent_a_credential(&self) -> bool {
        let asked = self.ways.iter().zip(&self.outcomes);
        asked.map(|(way, _)| way).any(Way::names_somebody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::canonical("ghcr.io/acme/app:dev", true, None)]
    #[case::short("nginx", true, None)]
    #[case::upper_case("ghcr.io/ByteQuester/App:dev", false, Some("must be lowercase"))]
    #[case::owner_taken_for_a_host(
        "ByteQuester/app",
        true,
        Some("ByteQuester for the host, where docker.io is meant")
    )]
    #[case::white_space(" nginx", false, Some("white space"))]
    #[case::nothing("", false, Some("invalid reference format"))]
    fn the_kubelets_view(#[case] text: &str, #[case] accepts: bool, #[case] problem: Option<&str>) {
        let meant = reference::canonicalise(text, false);
        let kubelet = Kubelet::of(text, meant.as_ref().ok());
        assert_eq!(kubelet.accepts, accepts);
        let said = kubelet.problem.unwrap_or_default();
        assert!(said.contains(problem.unwrap_or_default()), "{said}");
        assert_eq!(said.is_empty(), problem.is_none(), "{said}");
    }
}
