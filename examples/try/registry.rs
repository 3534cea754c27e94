//! The registry of this program: what is in it, and how references spell it.

use std::collections::HashMap;

use crate::support::oci_registry::{Image, OciRegistry};

/// The host that stands in manifests for the registry's own address.
pub(crate) const PLACEHOLDER: &str = "registry.example";

/// The commit that the seeded builds are from.
const SHA: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";
const SHORT_SHA: &str = "sha-c6cd88e";

/// A registry with images in it.
pub(crate) struct Seeded {
    registry: OciRegistry,
    /// By `repository:tag`.
    digests: HashMap<String, String>,
}

impl Seeded {
    /// Starts it. `bytequester` and `public` are for everybody, `acme` for alice, `globex` for nobody here.
    pub(crate) async fn start() -> Self {
        let registry = OciRegistry::start().await;
        let mut digests = HashMap::new();
        let mut push = |repository: &str, tags: &[&str], image: &Image| {
            for tag in tags {
                let digest = registry.push(repository, tag, image);
                digests.insert(format!("{repository}:{tag}"), digest);
            }
        };
        let from_ci = |build| Image::new(build).labelled("org.opencontainers.image.revision", SHA);
        let tags = ["dev", SHA, SHORT_SHA];
        push("bytequester/storefront", &tags, &from_ci("storefront"));
        push("acme/checkout", &tags, &from_ci("checkout"));
        push("acme/catalogue", &["dev"], &Image::new("catalogue"));
        push("globex/plans", &["dev"], &Image::new("plans"));
        let tool = Image::new("tool").for_platforms(&["linux/amd64", "linux/arm64"]);
        push("public/tool", &["latest", "v2"], &tool);
        for repository in ["bytequester/storefront", "public/tool"] {
            registry.make_public(repository);
        }
        let acme = ["acme/checkout", "acme/catalogue"];
        registry.add_user("alice", "only-for-make-try", &acme);
        Self { registry, digests }
    }

    pub(crate) fn host(&self) -> String {
        self.registry.host()
    }

    pub(crate) fn ca_pem(&self) -> &str {
        self.registry.ca_pem()
    }

    /// What `repository[:tag]` means, the way the registry sees it.
    pub(crate) fn digest(&self, name: &str) -> Option<&str> {
        let tagged = if name.contains(':') {
            name.to_owned()
        } else {
            format!("{name}:latest")
        };
        self.digests.get(&tagged).map(String::as_str)
    }

    /// A text with the placeholder, as cotter is to read it.
    pub(crate) fn real(&self, text: &str) -> String {
        text.replace(PLACEHOLDER, &self.host())
    }

    /// A text of cotter's, as a person is to read it.
    pub(crate) fn readable(&self, text: &str) -> String {
        text.replace(&self.host(), PLACEHOLDER)
    }
}
