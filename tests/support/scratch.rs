//! A folder that goes when the test program ends, even when it is killed or the owner is a static.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

// A process that still writes makes `rm` fail now and then: up to 20 tries in 4 s.
const REMOVE_AT_END: &str = r#"
read -r _
i=0
until rm -rf "$1" 2>/dev/null || [ $i -ge 20 ]; do sleep 0.2; i=$((i+1)); done
"#;

pub struct Scratch {
    path: PathBuf,
    keeper: Child,
    alive: Option<ChildStdin>,
}

impl Scratch {
    pub fn new(name: &str) -> Self {
        let prefix = format!("cotter-{name}-");
        let path = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let mut keeper = Command::new("sh")
            .args(["-c", REMOVE_AT_END, "keeper"])
            .arg(&path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let alive = keeper.stdin.take();
        Self {
            path,
            keeper,
            alive,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file of this folder and gives its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path.join(name);
        std::fs::write(&file, content).expect("write a scratch file");
        file
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.alive.take());
        let _ = self.keeper.wait();
    }
}
