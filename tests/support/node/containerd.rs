//! containerd with runc, and the image that holds sandboxes.

use std::path::Path;
use std::time::Duration;

use super::super::command;
use super::super::image::{Artifact, Image};
use super::super::parts;
use super::super::process::{Process, Program};
use super::super::scratch::Scratch;
use super::machine::Site;
use super::registry::LabRegistry;
use super::sandbox;

const START: Duration = Duration::from_secs(30);
const SANDBOX_IMAGE: &str = "lab.local/pause:1";

/// One containerd, in a folder of its own.
pub(super) struct Containerd {
    pub(super) process: Process,
    pub(super) site: Site,
    pub(super) scratch: Scratch,
}

impl Containerd {
    pub(super) fn start(site: Site, registry: &LabRegistry) -> Self {
        let scratch = Scratch::new(site.name);
        let folder = scratch.path();
        write_network(folder, &site);
        trust(folder, registry.host(), registry.host(), registry.ca());
        // Memory, and no layer of another overlay: a container of a CI has one for its root.
        mount_tmpfs(&folder.join("containerd"));
        let config = scratch.write("containerd.toml", config(folder));
        let shims = parts::program("containerd-shim-runc-v2");
        let shims = shims.parent().expect("a folder");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = format!("{}:{}", shims.display(), path.display());
        let process = Program::new("containerd", parts::program("containerd"))
            .arg("--config")
            .arg(config)
            .env("PATH", path)
            .start(folder);
        let mut containerd = Self {
            process,
            site,
            scratch,
        };
        let Self {
            process, scratch, ..
        } = &mut containerd;
        process.ready(START, |_| {
            (ctr(scratch, &["version"]).code == 0).then_some(())
        });
        let program = std::fs::read(parts::program("pause")).expect("pause");
        let sandbox = Image::new("sandbox").program("pause", program).build();
        containerd.side_load(&sandbox, SANDBOX_IMAGE);
        containerd
    }

    pub(super) fn socket(&self) -> String {
        socket(&self.scratch)
    }

    pub(super) fn trust(&self, host: &str, server: &str, ca: &str) {
        trust(self.scratch.path(), host, server, ca);
    }

    /// Puts an image on the node under this name, without any registry.
    pub(super) fn side_load(&self, image: &Artifact, name: &str) {
        let folder = self.scratch.path().join("side-load");
        image.write_layout(&folder.join("layout"));
        let archive = folder.join("image.tar");
        let (archive, layout) = (archive.to_string_lossy(), folder.join("layout"));
        let tar = ["-C", &layout.to_string_lossy(), "-cf", &archive, "."];
        command::run(Path::new("tar"), &tar, &[], &folder, b"").ok();
        let import = ["images", "import", "--index-name", name, &archive];
        ctr(&self.scratch, &import).ok();
        std::fs::remove_dir_all(&folder).expect("our own folder");
    }
}

/// Images of `host` are pulled from `server`, whose certificate is of this CA; what is written holds from the next pull on.
fn trust(folder: &Path, host: &str, server: &str, ca: &str) {
    let folder = folder.join("certs.d").join(host);
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("ca.pem");
    std::fs::write(&file, ca).expect("a file");
    let hosts = format!(
        "server = \"https://{server}\"\n[host.\"https://{server}\"]\nca = \"{}\"\n",
        file.display()
    );
    std::fs::write(folder.join("hosts.toml"), hosts).expect("a file");
}

fn socket(scratch: &Scratch) -> String {
    format!("{}/containerd.sock", scratch.path().display())
}

/// Runs ctr in the namespace of Kubernetes.
fn ctr(scratch: &Scratch, args: &[&str]) -> command::Outcome {
    let socket = socket(scratch);
    let args = [&["--address", &socket, "--namespace", "k8s.io"], args].concat();
    command::run(&parts::program("ctr"), &args, &[], scratch.path(), b"")
}

fn mount_tmpfs(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    let folder = folder.to_string_lossy();
    let args = ["-t", "tmpfs", "tmpfs", &folder];
    command::run(Path::new("mount"), &args, &[], Path::new("/"), b"").ok();
}

fn config(folder: &Path) -> String {
    let folder = folder.display();
    let plugins = sandbox::plugins().expect("asked for by `missing`");
    let plugins = plugins.display();
    // Raising a process's own OOM score takes a capability that containers of a CI lack.
    format!(
        r#"version = 3
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
disabled_plugins = ["io.containerd.nri.v1.nri"]
[grpc]
address = "{folder}/containerd.sock"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{SANDBOX_IMAGE}"
[plugins.'io.containerd.cri.v1.images'.registry]
config_path = "{folder}/certs.d"
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["{plugins}"]
conf_dir = "{folder}/cni"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
"#
    )
}

// Without a route of its own a Pod still answers, and reaches nobody.
fn write_network(folder: &Path, site: &Site) {
    let network = serde_json::json!({"cniVersion": "1.0.0", "name": site.name, "plugins": [
        {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "ranges": [[{"subnet": site.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
    ]});
    let configs = folder.join("cni");
    std::fs::create_dir_all(&configs).expect("a folder");
    std::fs::write(configs.join("10-lab.conflist"), network.to_string()).expect("a file");
}
