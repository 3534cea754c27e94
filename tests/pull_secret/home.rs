//! A person's home directory, in which the program runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    command::{self, Outcome},
    scratch::Scratch,
};

/// The program under test.
pub const COTTER: &str = env!("CARGO_BIN_EXE_cotter");

/// A credential helper that keeps one file for each server, by the protocol of `docker-credential-helpers`.
const HELPER: &str = r#"#!/bin/sh
kept="$HOME/kept"; mkdir -p "$kept"
echo "$1" >> "$HOME/asked"
case "$1" in
store)
  message=$(cat)
  server=$(printf %s "$message" | sed 's/.*"ServerURL":"\([^"]*\)".*/\1/')
  printf %s "$message" > "$kept/$(printf %s "$server" | tr -c 'a-z0-9.\n' _)" ;;
get)
  file="$kept/$(tr -c 'a-z0-9.\n' _)"
  [ -f "$file" ] || { echo "credentials not found in native keychain"; exit 1; }
  cat "$file" ;;
erase) rm -f "$kept/$(tr -c 'a-z0-9.\n' _)" ;;
*) echo "Unknown credential action: $1"; exit 1 ;;
esac
"#;

pub struct Home {
    scratch: Scratch,
}

impl Home {
    pub fn new() -> Self {
        Self {
            scratch: Scratch::new("home"),
        }
    }

    /// With a credential helper `docker-credential-test` on the PATH.
    pub fn with_helper() -> Self {
        let home = Self::new();
        home.program("docker-credential-test", HELPER);
        home
    }

    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::create_dir_all(self.file(name).parent().unwrap()).unwrap();
        let path = self.scratch.write(name, content);
        path.to_str().unwrap().to_owned()
    }

    /// Puts a script on the PATH.
    pub fn program(&self, name: &str, script: &str) {
        let source = self.write(&format!("bin/{name}.source"), script);
        let program = source.trim_end_matches(".source");
        // A file that this process has open for writing while another thread forks cannot be run.
        let install = Command::new("install")
            .args(["-m", "755", &source, program])
            .status();
        assert!(install.unwrap().success());
    }

    /// The PATH that the program sees.
    pub fn search_path(&self) -> String {
        let path = std::env::var_os("PATH").unwrap_or_default();
        format!("{}:{}", self.file("bin").display(), path.display())
    }

    /// Runs cotter without a terminal, with this on stdin.
    pub fn cotter(&self, args: &[&str], stdin: &str) -> Outcome {
        self.run(Path::new(COTTER), args, stdin.as_bytes())
    }

    pub fn run(&self, program: &Path, args: &[&str], stdin: &[u8]) -> Outcome {
        let path = self.search_path();
        command::run(program, args, &[("PATH", &path)], self.path(), stdin)
    }
}
