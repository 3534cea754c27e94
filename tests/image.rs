//! The image that `make image` wrote: what is in it, how large it is, and that its binary needs nothing else.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use support::{
    command,
    http_client::HttpClient,
    image::digest,
    node::{install, sandbox},
    parts, ports,
    process::{Process, Program},
    registry_part::Registry,
    scratch::Scratch,
};

const MIB: u64 = 1 << 20;
const LARGEST: u64 = 10 * MIB;
const ROOTS: &str = "etc/ssl/certs/ca-certificates.crt";
const START: Duration = Duration::from_secs(20);

/// The layout's one image.
struct Image {
    layout: PathBuf,
    manifest: Value,
}

impl Image {
    fn open() -> Self {
        let layout = install::layout();
        let index: Value =
            serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
        let manifests = index["manifests"].as_array().unwrap();
        assert_eq!(manifests.len(), 1, "{index}");
        let mut image = Self {
            layout,
            manifest: Value::Null,
        };
        image.manifest = serde_json::from_slice(&image.blob(&manifests[0])).unwrap();
        image
    }

    fn path(&self, descriptor: &Value) -> PathBuf {
        let digest = descriptor["digest"].as_str().unwrap();
        self.layout.join("blobs").join(digest.replace(':', "/"))
    }

    fn blob(&self, descriptor: &Value) -> Vec<u8> {
        let blob = fs::read(self.path(descriptor)).unwrap();
        assert_eq!(digest(&blob), descriptor["digest"].as_str().unwrap());
        blob
    }

    fn config(&self) -> Value {
        serde_json::from_slice(&self.blob(&self.manifest["config"])).unwrap()
    }

    /// Unpacks its layers.
    fn unpack(&self, into: &Path) {
        for layer in self.manifest["layers"].as_array().unwrap() {
            let (archive, into) = (self.path(layer), into.to_string_lossy());
            let args = ["-xzf", &archive.to_string_lossy(), "-C", &into];
            command::run(Path::new("tar"), &args, &[], Path::new("/"), b"").ok();
        }
    }
}

/// Ends a test where nobody has built an image; with CI=true it fails.
macro_rules! image {
    () => {{
        fn here() {}
        if !install::layout().join("index.json").exists() {
            let name = std::any::type_name_of_val(&here);
            parts::skip(name, "target/image; run make image");
            return;
        }
        Image::open()
    }};
}

#[test]
fn it_is_small() {
    let image = image!();
    let layers = image.manifest["layers"].as_array().unwrap();
    let blobs = layers.iter().chain([&image.manifest["config"]]);
    let size: u64 = blobs.map(|blob| blob["size"].as_u64().unwrap()).sum();
    assert!(size <= LARGEST, "{} KiB", size / 1024);
}

#[test]
fn it_holds_one_static_binary_and_the_roots() {
    let image = image!();
    let scratch = Scratch::new("image");
    image.unpack(scratch.path());
    let mut files = Vec::new();
    list(scratch.path(), scratch.path(), &mut files);
    files.sort();
    assert_eq!(files, ["cotter", ROOTS]);

    let mode = |name| {
        fs::metadata(scratch.path().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(
        (mode("cotter"), mode(ROOTS), mode("etc/ssl/certs")),
        (0o755, 0o644, 0o755)
    );
    let roots = fs::read_to_string(scratch.path().join(ROOTS)).unwrap();
    assert!(roots.matches("BEGIN CERTIFICATE").count() > 50);
    assert!(!has_interpreter(
        &fs::read(scratch.path().join("cotter")).unwrap()
    ));
}

#[test]
fn its_config_is_what_the_dockerfile_says() {
    let image = image!();
    let said = dockerfile();
    let config = image.config();
    let runs = &config["config"];
    assert_eq!(config["os"], "linux");
    assert_eq!(runs["User"], said["USER"][0]);
    assert_eq!(runs["WorkingDir"], said["WORKDIR"][0]);
    assert_eq!(
        runs["Entrypoint"].to_string(),
        said["ENTRYPOINT"].concat().replace(", ", ",")
    );

    let labels = runs["Labels"].as_object().unwrap();
    let expected: BTreeMap<&str, &str> = said["LABEL"]
        .iter()
        .filter_map(|label| label.split_once('='))
        .collect();
    assert_eq!(
        labels.keys().map(String::as_str).collect::<Vec<_>>(),
        expected.keys().copied().collect::<Vec<_>>()
    );
    for (name, value) in expected {
        let value = value.trim_matches('"');
        match value {
            "$REVISION" => assert!(
                is_revision(labels[name].as_str().unwrap()),
                "{}",
                labels[name]
            ),
            "$VERSION" => assert_eq!(labels[name], env!("CARGO_PKG_VERSION")),
            _ => assert_eq!(labels[name], value),
        }
    }
    assert!(said["ARG"].contains(&format!("VERSION={}", env!("CARGO_PKG_VERSION"))));
}

/// In nothing but its image, cotter believes the image's roots, and no others.
#[test]
fn its_binary_finds_the_roots() {
    support::require!("registry");
    let image = image!();
    if !sandbox::is_root() {
        return parts::skip("its_binary_finds_the_roots", "root on Linux");
    }
    let (registry, other) = (Registry::basic(), Registry::basic());
    let root = Scratch::new("root");
    image.unpack(root.path());
    let explained = |ca: &str| {
        root.write(ROOTS, ca);
        in_its_root(root.path(), registry.host())
    };
    let strange = explained(other.ca());
    assert!(strange.contains("not reachable"), "{strange}");
    let known = explained(registry.ca());
    assert!(known.contains("no access to it"), "{known}");
}

/// The warning on a Pod with an image of this registry, from a cotter that sees only `root`.
fn in_its_root(root: &Path, host: &str) -> String {
    let (listen, ops) = (
        format!("127.0.0.1:{}", ports::free()),
        format!("127.0.0.1:{}", ports::free()),
    );
    fs::write(
        root.join("cotter.yaml"),
        format!("registries: [{{host: '{host}', allowPrivate: true}}]"),
    )
    .unwrap();
    let logs = Scratch::new("logs");
    let mut cotter = Program::new("cotter", "chroot")
        .arg(root)
        .args([
            "/cotter",
            "serve",
            "--standalone",
            "--config",
            "/cotter.yaml",
            "--certs-dir",
            "/certs",
        ])
        .args(["--listen", &listen, "--ops", &ops])
        .start(logs.path());
    cotter.ready(START, |_: &Process| {
        let reply = HttpClient::plain().get(&ops, "/readyz").ok()?;
        (reply.status == 200).then_some(())
    });
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "operation": "CREATE", "namespace": "shop", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "object": {"metadata": {"namespace": "shop"}, "spec": {"containers": [{"name": "app", "image": format!("{host}/acme/app:dev")}]}}}});
    let ca = fs::read_to_string(root.join("certs/ca.pem")).unwrap();
    let headers = [("Content-Type", "application/json")];
    let reply = HttpClient::new(&ca).send(
        "POST",
        &listen,
        "/mutate",
        &headers,
        review.to_string().as_bytes(),
    );
    let response = reply.unwrap().json();
    response["response"]["warnings"].to_string()
}

/// The second stage of the Dockerfile: instructions and their arguments, one for each line.
fn dockerfile() -> BTreeMap<String, Vec<String>> {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Dockerfile")).unwrap();
    let stage = text.split("\nFROM scratch\n").nth(1).unwrap();
    let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in stage.replace("\\\n", "\nLABEL ").lines() {
        let (instruction, rest) = line.split_once(' ').unwrap();
        said.entry(instruction.to_owned())
            .or_default()
            .push(rest.trim().to_owned());
    }
    said
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(root, &path, files);
        } else {
            files.push(
                path.strip_prefix(root)
                    .unwrap()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
    }
}

fn is_revision(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether an ELF file of 64 bits has a program header of type `PT_INTERP`: the path of a dynamic linker.
fn has_interpreter(elf: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    let short = |at: usize| usize::from(u16::from_le_bytes(elf[at..at + 2].try_into().unwrap()));
    assert_eq!(&elf[..5], b"\x7fELF\x02");
    let table = usize::try_from(u64::from_le_bytes(elf[32..40].try_into().unwrap())).unwrap();
    let (size, count) = (short(54), short(56));
    (0..count).any(|index| {
        let at = table + index * size;
        u32::from_le_bytes(elf[at..at + 4].try_into().unwrap()) == PT_INTERP
    })
}
