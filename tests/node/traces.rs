//! What a lab could leave on the machine, and that it does not: also when it was killed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::support::node::sandbox::{self, Mode};
use crate::support::wait;

// Seconds, as no other program sleeps.
const SLEEP: &str = "100471";

/// What can be seen of the machine from outside of a lab.
pub struct Traces(BTreeSet<String>);

impl Traces {
    pub fn now() -> Self {
        let mut seen = BTreeSet::new();
        seen.extend(lines_of("/proc/mounts").map(|line| format!("mount: {line}")));
        seen.extend(folders("/sys/class/net").map(|name| format!("link: {name}")));
        seen.extend(folders("/run/netns").map(|name| format!("network namespace: {name}")));
        for name in [
            "vm/overcommit_memory",
            "vm/panic_on_oom",
            "kernel/panic",
            "kernel/panic_on_oops",
            "kernel/keys/root_maxkeys",
            "kernel/keys/root_maxbytes",
            "net/ipv4/ip_forward",
            "net/netfilter/nf_conntrack_max",
        ] {
            let value = std::fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default();
            seen.insert(format!("sysctl: {name} = {}", value.trim()));
        }
        for path in [
            sandbox::FOLDER,
            "/var/lib/kubelet",
            "/var/lib/cni",
            "/var/lib/containerd",
            "/var/log/containers",
            "/var/log/pods",
            "/run/containerd",
            "/etc/cni",
            "/etc/containerd",
            "/opt/cni",
            "/opt/containerd",
            "/usr/libexec/kubernetes",
        ] {
            if Path::new(path).exists() {
                seen.insert(format!("folder: {path}"));
            }
        }
        seen.extend(
            cgroups(Path::new("/sys/fs/cgroup"), 2)
                .into_iter()
                .map(|path| format!("cgroup: {}", path.display())),
        );
        seen.extend(processes().map(|line| format!("process: {line}")));
        Self(seen)
    }

    /// What is there now and was not.
    pub fn left_behind(&self) -> Vec<String> {
        Self::now().0.difference(&self.0).cloned().collect()
    }
}

/// The trials about labs that did not end well.
pub fn trials() -> Vec<Trial> {
    vec![Trial::ignorable_test(
        "sandbox::a_killed_one_is_cleared_by_the_next",
        || {
            if !sandbox::missing().is_empty() {
                return Ok(libtest_mimic::Completion::ignored_with(
                    "needs root on Linux and the parts",
                ));
            }
            a_killed_one_is_cleared_by_the_next();
            Ok(libtest_mimic::Completion::Completed)
        },
    )]
}

fn a_killed_one_is_cleared_by_the_next() {
    const LIMIT: Duration = Duration::from_secs(10);
    let before = Traces::now();
    // Two processes, of which one has left its family, as a shim does.
    let script = format!(
        "setsid sleep {SLEEP} & mkdir /sys/fs/cgroup/*/cotter-lab/pod /sys/fs/cgroup/cotter-lab/pod 2>/dev/null; \
         touch $TMPDIR/up; sleep {SLEEP}"
    );
    let arguments = ["-c".to_owned(), script];
    let mut keeper = sandbox::keeper(Mode::Watch, Path::new("/bin/sh"), &arguments)
        .spawn()
        .unwrap();
    let alive = keeper.stdin.take();
    let up = PathBuf::from(sandbox::FOLDER).join("tmp/up");
    wait::until("the sandbox", LIMIT, || up.exists().then_some(()));
    assert!(sandbox::is_running());
    assert!(processes().any(|line| line.contains(SLEEP)));

    let pid = std::fs::read_to_string(Path::new(sandbox::FOLDER).join("keeper.pid")).unwrap();
    assert!(
        Command::new("kill")
            .args(["-s", "KILL", pid.trim()])
            .status()
            .unwrap()
            .success()
    );
    wait::until("the end of all processes", LIMIT, || {
        processes()
            .all(|line| !line.contains("sleep 100"))
            .then_some(())
    });
    drop(alive);
    keeper.wait().unwrap();
    assert!(up.exists(), "nobody was there to clear up");
    assert!(!sandbox::is_running());

    let next = sandbox::keeper(Mode::Clear, Path::new("true"), &[])
        .status()
        .unwrap();
    assert!(next.success());
    assert_eq!(before.left_behind(), Vec::<String>::new());
}

fn lines_of(file: &str) -> impl Iterator<Item = String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

fn folders(of: &str) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(of).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

fn cgroups(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.file_name().is_some_and(|name| name == "cotter-lab") {
            found.push(path);
        } else if depth > 0 && path.is_dir() {
            found.extend(cgroups(&path, depth - 1));
        }
    }
    found
}

// Programs that only a lab starts; others come and go.
fn processes() -> impl Iterator<Item = String> {
    let ours = [
        "containerd",
        "containerd-shim-runc-v2",
        "kubelet",
        "kube-proxy",
        "kube-scheduler",
        "pause",
        "unshare",
        "sleep",
    ];
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = entries.filter_map(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let program = line.split(' ').next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default();
        (ours.contains(&name) && (name != "sleep" || line.contains(SLEEP))).then_some(line)
    });
    lines.collect::<Vec<_>>().into_iter()
}
