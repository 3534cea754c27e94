//! All the parts of one run, in a folder that goes with it.

use std::{path::Path, time::Duration};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    cotter::{Cotter, program},
    manifests::{map_texts, text_of},
    page::Page,
    registry::{PLACEHOLDER, Seeded},
    scenarios::Policy,
};

const CONFIG: &str = include_str!("../cotter.yaml");
const PULL_SECRETS: &str = include_str!("../pull-secrets.yaml");

/// The registry and the cotters. The children end before their folder goes.
pub(crate) struct Lab {
    pub(crate) registry: Seeded,
    standard: Cotter,
    strict: Option<Cotter>,
    folder: TempDir,
}

impl Lab {
    /// Starts everything. `secrets` are further pull secrets.
    ///
    /// # Errors
    /// What did not start, and why.
    pub(crate) async fn start(with_strict: bool, secrets: &[Value]) -> Result<Self, String> {
        let program = program()?;
        let folder = tempfile::Builder::new().prefix("cotter-try-").tempdir();
        let folder = folder.map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        let registry = Seeded::start().await;
        let pull_secrets = folder.path().join("pull-secrets");
        write(
            &pull_secrets.join("acme.yaml"),
            &registry.real(PULL_SECRETS),
        )?;
        for secret in secrets {
            let part = |pointer| text_of(secret, pointer).replace(['/', '.'], "-");
            let (namespace, name) = (part("/metadata/namespace"), part("/metadata/name"));
            let secret = map_texts(secret.clone(), &|text| registry.real(text));
            write(
                &pull_secrets.join(format!("your-{namespace}-{name}.json")),
                &secret.to_string(),
            )?;
        }
        let start = async |name: &str, config: &str| {
            let folder = folder.path().join(name);
            write(&folder.join("cotter.yaml"), &registry.real(config))?;
            write(&folder.join("registry-ca.pem"), registry.ca_pem())?;
            let started = Cotter::start(&program, &folder, &pull_secrets).await;
            // The folder is gone when this is read.
            let place = format!("{}/", pull_secrets.display());
            started.map_err(|error| error.replace(&place, ""))
        };
        let standard = start("standard", CONFIG).await?;
        let strict = if with_strict {
            let config = CONFIG.replace("defaultPolicy: standard", "defaultPolicy: strict");
            Some(start("strict", &config).await?)
        } else {
            None
        };
        Ok(Self {
            registry,
            standard,
            strict,
            folder,
        })
    }

    /// The cotter of this policy.
    pub(crate) fn cotter(&self, policy: Policy) -> &Cotter {
        match policy {
            Policy::Strict => self.strict.as_ref().unwrap_or(&self.standard),
            Policy::Standard => &self.standard,
        }
    }

    /// Says what runs.
    pub(crate) fn introduce(&self, page: &mut Page, started: Duration) {
        let millis = started.as_millis();
        page.heading(
            "cotter, tried on this machine: no cluster, nothing installed, nothing left behind",
        );
        page.fact(
            "registry",
            &format!(
                "{PLACEHOLDER} stands for {}: TLS, a CA of its own, token authentication",
                self.registry.host()
            ),
        );
        page.fact(
            "webhook",
            &format!(
                "cotter serve --standalone on {}, policy standard",
                self.standard.address()
            ),
        );
        if let Some(strict) = &self.strict {
            page.fact(
                "",
                &format!(
                    "cotter serve --standalone on {}, policy strict",
                    strict.address()
                ),
            );
        }
        page.fact(
            "sender",
            "this program: AdmissionReviews over TLS, as kube-apiserver sends them",
        );
        page.fact("started", &format!("in {millis} ms"));
    }

    /// Ends everything.
    ///
    /// # Errors
    /// What did not end well.
    pub(crate) async fn stop(self) -> Result<(), String> {
        self.standard.stop().await?;
        if let Some(strict) = self.strict {
            strict.stop().await?;
        }
        let path = self.folder.path().display().to_string();
        self.folder
            .close()
            .map_err(|error| format!("cannot remove {path}: {error}"))
    }
}

/// Whether cotter would read this object as a pull secret.
pub(crate) fn is_pull_secret(object: &Value) -> bool {
    text_of(object, "/kind") == "Secret"
        && text_of(object, "/type").starts_with("kubernetes.io/dockerc")
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = parent.and_then(|()| std::fs::write(path, text));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}
