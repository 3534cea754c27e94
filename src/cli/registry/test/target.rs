//! What is tested: a registry as such, or an image in it.

use anyhow::{Context as _, bail};
use smol_str::SmolStr;

use crate::{
    api::registry::Probe,
    cli::{credentials::Way, output::printable},
    domain::{
        digest::Digest,
        reference::{self, DEFAULT_TAG, Reference},
    },
    registry::reading::Place,
};

/// A repository that no registry has, so that a host alone has credentials to look up. Those for one owner do not match it.
const NO_REPOSITORY: &str = "library/none";

/// A registry, and perhaps an image in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::registry) struct Target {
    /// The image; for a host alone, one that is only good for looking up credentials.
    pub(in crate::cli::registry) image: Reference,
    pub(in crate::cli::registry) is_host: bool,
}

// === impl Target ===

impl Target {
    /// Reads `HOST` or `IMAGE`. A URL, as it stands in Docker's configuration, is reduced to its host.
    ///
    /// # Errors
    /// If it is neither.
    pub(in crate::cli::registry) fn parse(text: &str) -> anyhow::Result<Self> {
        let bare = text.trim();
        let url = bare
            .strip_prefix("https://")
            .or_else(|| bare.strip_prefix("http://"));
        let host = match url {
            Some(rest) => rest.split('/').next().unwrap_or_default(),
            None => bare.strip_suffix('/').unwrap_or(bare),
        };
        if let Some((_, host)) = host.rsplit_once('@').filter(|_| url.is_some()) {
            // What stands before it may be a password, and is not repeated.
            bail!(
                "a user in the URL is not used; name {} alone",
                printable(host)
            );
        }
        let is_host = url.is_some() || is_host(host);
        let image = if is_host {
            format!("{host}/{NO_REPOSITORY}")
        } else {
            bare.to_owned()
        };
        let read = reference::canonicalise(&image, false);
        let read = read.with_context(|| {
            let shown = printable(text);
            format!("{shown:?} is neither a registry's host nor an image; write ghcr.io or ghcr.io/acme/app:dev")
        })?;
        Ok(Self {
            image: read.reference,
            is_host,
        })
    }

    /// A registry, and what its live test reads.
    ///
    /// # Errors
    /// If the host is none.
    pub(in crate::cli::registry) fn of_registry(
        host: &str,
        probe: Option<&Probe>,
    ) -> anyhow::Result<Self> {
        let image = match probe {
            Some(Probe { repository, tag }) => {
                format!("{host}/{}:{tag}", repository.trim_matches('/'))
            }
            None => format!("{host}/{NO_REPOSITORY}"),
        };
        let read = reference::canonicalise(&image, false);
        let read = read.with_context(|| {
            format!(
                "{:?} cannot be tested: write spec.probe without the host, as acme/app",
                printable(&image)
            )
        })?;
        Ok(Self {
            image: read.reference,
            is_host: probe.is_none(),
        })
    }

    /// The registry's host.
    pub(in crate::cli::registry) fn host(&self) -> SmolStr {
        self.image.endpoint().0.into()
    }

    /// What is read in the end; `None` for a host alone.
    pub(in crate::cli::registry) fn tag(&self) -> Option<&str> {
        let tag = || self.image.tag().unwrap_or(DEFAULT_TAG);
        (!self.is_host).then(|| self.image.digest().map_or_else(tag, Digest::as_str))
    }

    /// What is asked for, by `way`.
    pub(in crate::cli::registry) fn place(&self, way: &Way) -> Place {
        let mut place = way.place(&self.image);
        if self.is_host {
            place.repository = SmolStr::default();
        }
        place
    }

    /// As a person would name it.
    pub(in crate::cli::registry) fn shown(&self) -> String {
        if self.is_host {
            self.host().to_string()
        } else {
            self.image.tagged_text().into_owned()
        }
    }
}

/// Whether a text without a slash is a host: a name with a dot, or `localhost`, and perhaps a port. `registry:5000` is an image
/// to every other program, and so it is here.
fn is_host(text: &str) -> bool {
    if text.starts_with('[') && !text.contains('/') {
        return true;
    }
    let (name, port) = text.split_once(':').unwrap_or((text, ""));
    let is_name = name.contains('.') || name.eq_ignore_ascii_case("localhost");
    is_name && !text.contains('/') && port.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::host("ghcr.io", "ghcr.io", None)]
    #[case::upper_case("GHCR.io", "ghcr.io", None)]
    #[case::port("registry.example:5000", "registry.example:5000", None)]
    #[case::this_machine("localhost:5000", "localhost:5000", None)]
    #[case::address("127.0.0.1:5000", "127.0.0.1:5000", None)]
    #[case::six("[::1]:5000", "[::1]:5000", None)]
    #[case::slash("ghcr.io/", "ghcr.io", None)]
    #[case::url("https://index.docker.io/v1/", "docker.io", None)]
    #[case::image("ghcr.io/ByteQuester/App", "ghcr.io", Some("latest"))]
    #[case::tag("ghcr.io/acme/app:dev", "ghcr.io", Some("dev"))]
    #[case::short("nginx", "docker.io", Some("latest"))]
    #[case::short_with_a_tag("nginx:1.27", "docker.io", Some("1.27"))]
    #[case::no_dot("registry:5000", "docker.io", Some("5000"))]
    #[case::no_dot_and_a_repository("registry:5000/app", "registry:5000", Some("latest"))]
    fn targets(#[case] text: &str, #[case] host: &str, #[case] tag: Option<&str>) {
        let target = Target::parse(text).unwrap();
        assert_eq!((target.host().as_str(), target.tag()), (host, tag));
    }

    #[rstest]
    #[case::empty("")]
    #[case::spaces("a b")]
    #[case::user_information("https://user:password@ghcr.io/")]
    fn no_targets(#[case] text: &str) {
        assert!(Target::parse(text).is_err());
    }

    #[test]
    fn a_digest_goes_before_the_tag() {
        let digest = format!("sha256:{}", "4f0c".repeat(16));
        let target = Target::parse(&format!("ghcr.io/acme/app:dev@{digest}")).unwrap();
        assert_eq!(target.tag(), Some(digest.as_str()));
    }
}
