//! Processes, mounts and a network of their own, which end together, whatever ends them.

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::super::parts;

/// The folder of the lab that runs, if one does.
pub const FOLDER: &str = "/tmp/cotter-lab";
const CGROUP: &str = "cotter-lab";
// What every machine with a lab has: a lock file of its own would be left behind.
const LOCK: &str = "/sys/fs/cgroup";
/// What `flock` ends with when another lab runs.
pub const ALREADY_RUNNING: u8 = 75;
pub const RUNNING: &str = "a lab runs on this machine already; make lab-down ends it";
const INSIDE: &str = "COTTER_LAB_INSIDE";

/// Programs of the distribution, and the Debian package of each.
const TOOLS: [(&str, &str); 8] = [
    ("runc", "runc"),
    ("nft", "nftables"),
    ("conntrack", "conntrack"),
    ("ip", "iproute2"),
    ("flock", "util-linux"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("setpriv", "util-linux"),
];
/// Where distributions put the network plugins.
const PLUGINS: [&str; 3] = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];

/// What a keeper does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The sandbox ends with the keeper's standard input.
    Watch,
    /// The sandbox stays until the keeper gets SIGTERM.
    Hold,
    /// There is no sandbox: what an earlier one left is cleared.
    Clear,
}

/// Whether this process runs in the sandbox.
pub fn inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// What keeps a lab from running here; empty if nothing does.
pub fn missing() -> Vec<String> {
    if !cfg!(target_os = "linux") || !is_root() {
        return vec!["root on Linux".to_owned()];
    }
    let parts = super::PARTS
        .iter()
        .filter(|part| parts::find(part).is_none())
        .map(|part| format!("{part} (make parts)"));
    let mut tools: Vec<String> = TOOLS
        .iter()
        .filter(|(tool, _)| parts::find(tool).is_none())
        .map(|(tool, package)| format!("{tool} (Debian: {package})"))
        .collect();
    if plugins().is_none() {
        tools.push("network plugins (Debian: containernetworking-plugins)".to_owned());
    }
    parts.chain(tools).collect()
}

/// The folder of the network plugins.
pub fn plugins() -> Option<PathBuf> {
    PLUGINS
        .iter()
        .map(PathBuf::from)
        .find(|folder| folder.join("ptp").is_file() && folder.join("host-local").is_file())
}

/// Runs this program again with these arguments in a new sandbox, which ends with the caller at the latest.
pub fn enter(arguments: &[String]) -> ExitCode {
    let me = env::current_exe().expect("this program");
    let mut keeper = keeper(Mode::Watch, &me, arguments).spawn().expect("flock");
    // `wait` would close it, and that is the keeper's sign to end.
    let alive = keeper.stdin.take();
    let code = keeper.wait().expect("wait").code().unwrap_or(1);
    drop(alive);
    let code = u8::try_from(code).unwrap_or(1);
    if code == ALREADY_RUNNING {
        let _ = writeln!(std::io::stderr(), "{RUNNING}");
    }
    ExitCode::from(code)
}

/// The process that holds a sandbox with a program in it, and clears up before and after. Its standard input is a pipe.
pub fn keeper(mode: Mode, program: &Path, arguments: &[String]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/node/sandbox.sh");
    let mut keeper = Command::new("flock");
    keeper
        .args(["--nonblock", "--conflict-exit-code"])
        .arg(ALREADY_RUNNING.to_string())
        .args([LOCK, "sh"])
        .arg(script)
        .args([FOLDER, CGROUP])
        .arg(match mode {
            Mode::Watch => "watch",
            Mode::Hold => "hold",
            Mode::Clear => "clear",
        })
        .arg(program)
        .args(arguments)
        .stdin(Stdio::piped());
    keeper
}

/// Whether a lab runs on this machine.
pub fn is_running() -> bool {
    let free = Command::new("flock")
        .args(["--nonblock", LOCK, "true"])
        .status();
    !free.expect("flock").success()
}

/// Whether this process may do everything on this machine.
pub fn is_root() -> bool {
    // The owner of /proc/self is the effective user.
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}
