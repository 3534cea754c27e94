//! containerd with runc, and the image that holds sandboxes.

use std::path::Path;
use std::time::Duration;

use super::super::command;
use super::super::image::Image;
use super::super::parts;
use super::super::process::{Process, Program};
use super::super::scratch::Scratch;
use super::registry::LabRegistry;
use super::{POD_CIDR, sandbox};

const START: Duration = Duration::from_secs(30);
const SANDBOX_IMAGE: &str = "lab.local/pause:1";

pub(super) fn socket(scratch: &Scratch) -> String {
    format!("{}/containerd.sock", scratch.path().display())
}

pub(super) fn start(scratch: &Scratch, registry: &LabRegistry) -> Process {
    let folder = scratch.path();
    write_network(folder);
    registry.write_hosts(&folder.join("certs.d"));
    // Memory, and no layer of another overlay: a container of a CI has one for its root.
    mount_tmpfs(&folder.join("containerd"));
    let config = scratch.write("containerd.toml", config(folder));
    let program = Program::new("containerd", parts::program("containerd"));
    let shims = parts::program("containerd-shim-runc-v2");
    let shims = shims.parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let program = program
        .arg("--config")
        .arg(config)
        .env("PATH", format!("{}:{path}", shims.display()));
    let mut process = program.start(folder);
    process.ready(START, |_| {
        (ctr(scratch, &["version"]).code == 0).then_some(())
    });
    import_sandbox_image(scratch);
    process
}

/// Runs ctr in the namespace of Kubernetes.
pub(super) fn ctr(scratch: &Scratch, args: &[&str]) -> command::Outcome {
    let socket = socket(scratch);
    let args = [&["--address", &socket, "--namespace", "k8s.io"], args].concat();
    command::run(&parts::program("ctr"), &args, &[], scratch.path(), b"")
}

fn import_sandbox_image(scratch: &Scratch) {
    let layout = scratch.path().join("pause");
    let program = std::fs::read(parts::program("pause")).expect("pause");
    let image = Image::new("sandbox").program("pause", program);
    image.build().write_layout(&layout);
    let archive = scratch.path().join("pause.tar");
    let (archive, layout) = (archive.to_string_lossy(), layout.to_string_lossy());
    let tar = ["-C", &layout, "-cf", &archive, "."];
    command::run(Path::new("tar"), &tar, &[], scratch.path(), b"").ok();
    ctr(
        scratch,
        &["images", "import", "--index-name", SANDBOX_IMAGE, &archive],
    )
    .ok();
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
fn write_network(folder: &Path) {
    let network = serde_json::json!({"cniVersion": "1.0.0", "name": "lab", "plugins": [
        {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "ranges": [[{"subnet": POD_CIDR}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
    ]});
    let configs = folder.join("cni");
    std::fs::create_dir_all(&configs).expect("a folder");
    std::fs::write(configs.join("10-lab.conflist"), network.to_string()).expect("a file");
}
