//! Images and indexes made of nothing, for a registry to hold.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const REVISION: &str = "org.opencontainers.image.revision";
pub const OLD_REVISION: &str = "org.label-schema.vcs-ref";

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
// Two blocks of zeros are an empty tar archive.
const EMPTY_TAR: [u8; 1024] = [0; 1024];

/// An image to be: another seed gives another digest.
#[derive(Clone, Default)]
pub struct Image {
    seed: String,
    architecture: String,
    annotations: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    program: Option<(String, Vec<u8>)>,
}

/// A manifest or an index with all that it needs.
#[derive(Clone)]
pub struct Artifact {
    pub media_type: &'static str,
    pub manifest: Vec<u8>,
    pub blobs: Vec<Vec<u8>>,
    pub children: Vec<Artifact>,
    architecture: String,
}

impl Image {
    pub fn new(seed: &str) -> Self {
        Self {
            seed: seed.to_owned(),
            architecture: "amd64".to_owned(),
            ..Self::default()
        }
    }

    pub fn architecture(mut self, name: &str) -> Self {
        name.clone_into(&mut self.architecture);
        self
    }

    /// An annotation of the manifest.
    pub fn annotation(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A label of the config.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What a container of it runs: a static program, in the image under this name.
    pub fn program(mut self, name: &str, content: Vec<u8>) -> Self {
        self.program = Some((name.to_owned(), content));
        self
    }

    pub fn build(mut self) -> Artifact {
        self.labels.insert("cotter.test/seed".to_owned(), self.seed);
        let layer = self.program.as_ref().map_or_else(
            || EMPTY_TAR.to_vec(),
            |(name, content)| tar_of_program(name, content),
        );
        let mut config = json!({
            "architecture": self.architecture, "os": "linux", "config": {"Labels": self.labels},
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        });
        if let Some((name, _)) = &self.program {
            config["config"]["Entrypoint"] = json!([format!("/{name}")]);
        }
        let config = config.to_string().into_bytes();
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config), "layers": [descriptor(LAYER, &layer)],
        });
        annotate(&mut manifest, &self.annotations);
        Artifact {
            media_type: MANIFEST,
            manifest: manifest.to_string().into_bytes(),
            blobs: vec![config, layer],
            children: Vec::new(),
            architecture: self.architecture,
        }
    }
}

impl Artifact {
    /// An index over these images, with annotations of its own.
    pub fn index(children: Vec<Self>, annotations: &[(&str, &str)]) -> Self {
        let manifests: Vec<Value> = children.iter().map(Self::descriptor).collect();
        let mut manifest = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let annotations = annotations
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        annotate(&mut manifest, &annotations);
        let manifest = manifest.to_string().into_bytes();
        Self {
            media_type: INDEX,
            manifest,
            blobs: Vec::new(),
            children,
            architecture: String::new(),
        }
    }

    /// `sha256:…`
    pub fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// Writes it as an OCI image layout, which crane can push.
    pub fn write_layout(&self, folder: &Path) {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).expect("a folder");
        self.write_blobs(&blobs);
        let index =
            json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [self.descriptor()]});
        std::fs::write(folder.join("index.json"), index.to_string()).expect("index.json");
        std::fs::write(
            folder.join("oci-layout"),
            r#"{"imageLayoutVersion":"1.0.0"}"#,
        )
        .expect("oci-layout");
    }

    fn write_blobs(&self, folder: &Path) {
        for blob in self.blobs.iter().chain([&self.manifest]) {
            std::fs::write(
                folder.join(digest(blob).trim_start_matches("sha256:")),
                blob,
            )
            .expect("a blob");
        }
        self.children
            .iter()
            .for_each(|child| child.write_blobs(folder));
    }

    fn descriptor(&self) -> Value {
        let mut descriptor = descriptor(self.media_type, &self.manifest);
        if !self.architecture.is_empty() {
            descriptor["platform"] = json!({"architecture": self.architecture, "os": "linux"});
        }
        descriptor
    }
}

/// `sha256:…` of these bytes.
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold("sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

// POSIX ustar: one file that everybody may run, then the end of the archive.
fn tar_of_program(name: &str, content: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 512;
    const CHECKSUM: std::ops::Range<usize> = 148..156;
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000755\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(156, "0");
    put(257, "ustar\x0000");
    // The sum is taken with spaces in its own place.
    put(CHECKSUM.start, "        ");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = header.to_vec();
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    tar.extend_from_slice(&EMPTY_TAR);
    tar
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(content), "size": content.len()})
}

fn annotate(manifest: &mut Value, annotations: &BTreeMap<String, String>) {
    if !annotations.is_empty() {
        manifest["annotations"] = json!(annotations);
    }
}
