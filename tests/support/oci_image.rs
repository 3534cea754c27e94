//! Images for the registry in the test's own process.

use std::collections::BTreeMap;

/// What a registry's `push` makes an image of. Equal images have equal digests.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// What tells one build from another.
    pub build: String,
    /// Annotations of the index, or of the manifest where there is no index.
    pub annotations: BTreeMap<String, String>,
    /// Labels in the configuration of every platform.
    pub labels: BTreeMap<String, String>,
    /// `os/architecture`; none makes one linux/amd64 manifest without an index.
    pub platforms: Vec<String>,
    /// The sizes of its layers, which nobody can fetch.
    pub layers: Vec<u64>,
    /// When it was built.
    pub created: Option<String>,
}

impl Image {
    /// An image of this build, without annotations, labels or an index.
    pub fn new(build: &str) -> Self {
        Self {
            build: build.to_owned(),
            ..Self::default()
        }
    }

    /// With an annotation on the index, or on the only manifest.
    #[must_use]
    pub fn annotated(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With a label in the configuration.
    #[must_use]
    pub fn labelled(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With layers of these sizes.
    #[must_use]
    pub fn of_layers(mut self, sizes: &[u64]) -> Self {
        self.layers = sizes.to_vec();
        self
    }

    /// Built at this moment.
    #[must_use]
    pub fn built(mut self, at: &str) -> Self {
        self.created = Some(at.to_owned());
        self
    }

    /// With an index of these platforms.
    #[must_use]
    pub fn for_platforms(mut self, platforms: &[&str]) -> Self {
        self.platforms = platforms.iter().map(|name| (*name).to_owned()).collect();
        self
    }
}
