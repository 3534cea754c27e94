//! What the manifests of `examples/manifests` are there to show, and what has to come of each.

use serde_json::Value;

use crate::{
    admission::Admission,
    manifests::{pod_spec, text_of},
    registry::Seeded,
};

/// A manifest and what is expected of it.
pub(crate) struct Scenario {
    pub(crate) file: &'static str,
    pub(crate) text: &'static str,
    pub(crate) policy: Policy,
    /// Below the Pod's spec.
    images: &'static [(&'static str, Image)],
    pull_secrets: &'static [&'static str],
    /// A part of each warning.
    warnings: &'static [&'static str],
    /// Parts of the denial.
    denied: &'static [&'static str],
    /// Whether not a byte of the object may change.
    is_left: bool,
}

/// The policy of the cotter that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    Standard,
    Strict,
}

/// The text that an image has in the end, without its host.
#[derive(Clone, Copy)]
enum Image {
    /// With the digest that the registry has for it.
    Pinned(&'static str),
    /// As written here.
    Unpinned(&'static str),
}

use Image::{Pinned, Unpinned};

const PLAIN: Scenario = Scenario {
    file: "",
    text: "",
    policy: Policy::Standard,
    images: &[],
    pull_secrets: &[],
    warnings: &[],
    denied: &[],
    is_left: false,
};

macro_rules! manifest {
    ($file:literal) => {
        Scenario {
            file: $file,
            text: include_str!(concat!("../manifests/", $file)),
            ..PLAIN
        }
    };
}

/// In the order in which they are shown.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        images: &[("/containers/0/image", Pinned("bytequester/storefront:dev"))],
        ..manifest!("upper-case-owner.yaml")
    },
    Scenario {
        images: &[("/containers/0/image", Pinned("acme/checkout:dev"))],
        pull_secrets: &["acme-pull"],
        ..manifest!("private-image.yaml")
    },
    Scenario {
        images: &[("/containers/0/image", Unpinned("acme/checkout:dev"))],
        warnings: &[
            "no such tag, or no access",
            "kubectl create secret docker-registry",
        ],
        ..manifest!("no-secret.yaml")
    },
    Scenario {
        images: &[(
            "/containers/0/image",
            Unpinned("acme/checkout:c6cd88ef7de43520f6e95fcb87e6f2452b45edd4"),
        )],
        pull_secrets: &["acme-pull"],
        is_left: true,
        ..manifest!("git-sha-tag.yaml")
    },
    Scenario {
        images: &[
            (
                "/containers/0/image",
                Unpinned("bytequester/storefront:nightly"),
            ),
            ("/containers/1/image", Pinned("public/tool:v2")),
        ],
        warnings: &["no such tag", "no pull secret"],
        ..manifest!("missing-tag.yaml")
    },
    Scenario {
        images: &[
            ("/initContainers/0/image", Pinned("public/tool")),
            ("/containers/0/image", Pinned("acme/checkout:dev")),
            ("/volumes/0/image/reference", Pinned("acme/catalogue:dev")),
        ],
        pull_secrets: &["acme-pull"],
        ..manifest!("init-and-volume.yaml")
    },
    Scenario {
        images: &[
            (
                "/containers/0/image",
                Unpinned("ByteQuester/Storefront:dev"),
            ),
            ("/containers/1/image", Unpinned("acme/checkout:dev")),
        ],
        warnings: &[
            "bytequester/storefront:dev@sha256:",
            "acme/checkout:dev@sha256:",
            r#""acme-pull" would be injected"#,
        ],
        is_left: true,
        ..manifest!("deployment.yaml")
    },
    Scenario {
        images: &[("/containers/0/image", Unpinned("acme/checkout:dev:v2"))],
        warnings: &["is invalid"],
        ..manifest!("invalid-reference.yaml")
    },
    Scenario {
        policy: Policy::Strict,
        images: &[(
            "/containers/0/image",
            Pinned("bytequester/storefront:c6cd88ef7de43520f6e95fcb87e6f2452b45edd4"),
        )],
        ..manifest!("strict-git-sha.yaml")
    },
    Scenario {
        policy: Policy::Strict,
        warnings: &["no pull secret"],
        denied: &["storefront:nightly", "globex/plans:dev", "is invalid"],
        is_left: true,
        ..manifest!("strict-denied.yaml")
    },
];

impl Scenario {
    /// What is not as it should be, a line each.
    pub(crate) fn mistakes(&self, admission: &Admission, registry: &Seeded) -> Vec<String> {
        let mut mistakes = Vec::new();
        let after = &admission.after;
        let spec = pod_spec(text_of(after, "/kind")).unwrap_or_default();
        for (pointer, image) in self.images {
            let (is, should) = (
                text_of(after, &format!("{spec}{pointer}")),
                image.text(registry),
            );
            if is != should {
                mistakes.push(format!("{pointer} is {is}, and should be {should}"));
            }
        }
        let named = after
            .pointer(&format!("{spec}/imagePullSecrets"))
            .and_then(Value::as_array);
        let named: Vec<_> = named
            .into_iter()
            .flatten()
            .map(|secret| text_of(secret, "/name"))
            .collect();
        if named != self.pull_secrets {
            mistakes.push(format!(
                "its pull secrets are {named:?}, and should be {:?}",
                self.pull_secrets
            ));
        }
        if self.is_left && admission.before != *after {
            mistakes.push("it was changed, and should not be".to_owned());
        }
        self.misses(admission, &mut mistakes);
        mistakes
    }

    fn misses(&self, admission: &Admission, mistakes: &mut Vec<String>) {
        let said = admission.warnings.join("\n");
        for part in self.warnings.iter().filter(|part| !said.contains(**part)) {
            mistakes.push(format!("no warning says {part:?}"));
        }
        if self.warnings.is_empty() && !said.is_empty() {
            mistakes.push("there should be no warning".to_owned());
        }
        let denied = admission.denied.as_deref();
        for part in self
            .denied
            .iter()
            .filter(|part| !denied.unwrap_or_default().contains(**part))
        {
            mistakes.push(format!("no denial says {part:?}"));
        }
        if self.denied.is_empty() && denied.is_some() {
            mistakes.push("it should be admitted".to_owned());
        }
    }
}

impl Image {
    fn text(self, registry: &Seeded) -> String {
        let host = registry.host();
        match self {
            Unpinned(name) => format!("{host}/{name}"),
            Pinned(name) => {
                let digest = registry
                    .digest(name)
                    .unwrap_or("a digest that nobody pushed");
                format!("{host}/{name}@{digest}")
            }
        }
    }
}
