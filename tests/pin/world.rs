//! A registry with a few images, and a folder to run the program in.

use std::path::Path;

use crate::support::{
    command::{self, Outcome},
    oci_registry::{Image, OciRegistry},
    scratch::Scratch,
};

/// The commit that `:dev` was built from.
pub const SHA: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";

pub struct World {
    pub registry: OciRegistry,
    pub scratch: Scratch,
    /// What `bytequester/hosting-monorepo:dev` means.
    pub monorepo: String,
    /// What `public/app:dev` means.
    pub app: String,
}

impl World {
    pub async fn start() -> Self {
        let registry = OciRegistry::start().await;
        let scratch = Scratch::new("pin");
        let built = Image::new("monorepo").labelled("org.opencontainers.image.revision", SHA);
        let monorepo = registry.push("bytequester/hosting-monorepo", "dev", &built);
        registry.push("bytequester/hosting-monorepo", SHA, &built);
        let app = registry.push("public/app", "dev", &Image::new("app"));
        registry.make_public("bytequester/hosting-monorepo");
        registry.make_public("public/app");
        let host = registry.host();
        scratch.write("ca.pem", registry.ca_pem());
        scratch.write(
            "cotter.yaml",
            format!("registries: [{{host: '{host}', caFile: ca.pem, allowPrivate: true}}]\n"),
        );
        Self {
            registry,
            scratch,
            monorepo,
            app,
        }
    }

    /// Writes a file, `HOST` for the registry's host.
    pub fn write(&self, name: &str, content: &str) {
        let path = self.scratch.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.replace("HOST", &self.registry.host())).unwrap();
    }

    /// Reads a file, with `HOST` for the registry's host and `APP` for the digest of `public/app:dev`.
    pub fn read(&self, name: &str) -> String {
        self.plain(&std::fs::read_to_string(self.scratch.path().join(name)).unwrap())
    }

    /// A text of the program, with the same names.
    pub fn plain(&self, text: &str) -> String {
        let text = text.replace(&self.registry.host(), "HOST");
        let text = text.replace(&self.app, "APP");
        text.replace(&self.monorepo, "MONOREPO")
    }

    pub fn cotter(&self, args: &[&str]) -> Outcome {
        self.cotter_with(args, b"")
    }

    pub fn cotter_with(&self, args: &[&str], input: &[u8]) -> Outcome {
        let env = [("COTTER_CONFIG", "cotter.yaml")];
        let outcome = command::run(
            Path::new(env!("CARGO_BIN_EXE_cotter")),
            args,
            &env,
            self.scratch.path(),
            input,
        );
        Outcome {
            code: outcome.code,
            stdout: self.plain(&outcome.stdout),
            stderr: self.plain(&outcome.stderr),
        }
    }
}
