//! What happens inside: the lab starts, images are pushed, cotter is installed. Then it stays.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use crate::support::{
    node::{ADMIN, ALICE, BOB, Lab, install::NAMESPACE, sandbox::FOLDER},
    parts,
};

/// The file, in the lab's folder, with what `make lab` prints when all is ready.
pub(crate) const READY: &str = "ready";
/// The file, in the lab's folder, that a shell reads first.
pub(crate) const ENVIRONMENT: &str = "shell.env";

const SHA: &str = "c6cd88ef7de43520f6e95fcb87e6f2452b45edd4";

/// Starts everything and stays until the sandbox ends.
pub(crate) fn tell() -> Result<ExitCode, String> {
    let lab = Lab::start();
    let registry = &lab.registry;
    registry.push("bytequester/app", "app", &["dev", SHA, "sha-c6cd88e"]);
    registry.push("acme/app", "acme", &["dev"]);
    registry.push("beta/app", "beta", &["dev"]);
    registry.push("public/tool", "tool", &["latest", "v1"]);
    lab.push_cotter("dev");
    lab.install_cotter(&lab.values("dev"));
    write(ENVIRONMENT, &environment(&lab))?;
    write(READY, &welcome(&lab))?;
    loop {
        std::thread::park();
    }
}

fn write(name: &str, text: &str) -> Result<(), String> {
    // Written beside and renamed: whoever waits for the file reads all of it.
    let file = Path::new(FOLDER).join(name);
    let new = file.with_extension("new");
    std::fs::write(&new, text)
        .and_then(|()| std::fs::rename(&new, &file))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))
}

fn environment(lab: &Lab) -> String {
    let kubectl = parts::program("kubectl");
    let bin = kubectl.parent().unwrap_or(Path::new("/usr/bin"));
    let mut text = format!(
        "export PATH=\"{}:$PATH\" KUBECONFIG=\"{}\" REGISTRY=\"{}\"\n",
        bin.display(),
        lab.plane.kubeconfig().display(),
        lab.registry.host()
    );
    for (name, value) in lab.registry.environment() {
        let _ = writeln!(text, "export {name}=\"{value}\"");
    }
    text.push_str("[ -n \"${BASH_VERSION-}\" ] && PS1='lab \\w \\$ '\n");
    text
}

fn welcome(lab: &Lab) -> String {
    let host = lab.registry.host();
    let user = |(name, password): (&str, &str)| format!("{name} ({password})");
    format!(
        "lab: ready. cotter answers in {NAMESPACE}; the registry is {host}.

  {} pulls bytequester/* and acme/*, {} pulls beta/*, everybody pulls public/*; {} may push.

  make lab-shell   a shell in it, with kubectl, helm and crane
  make lab-down    ends it and leaves nothing behind
  docs/lab.md      ten minutes of things to try
",
        user(ALICE),
        user(BOB),
        user(ADMIN)
    )
}
