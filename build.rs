//! What `cotter version` tells of the build: the platform and the compiler, which only a build script knows.

use std::{
    env,
    io::{self, Write as _},
    process::Command,
};

fn main() -> io::Result<()> {
    let mut cargo = io::stdout();
    let target = env::var_os("TARGET").unwrap_or_default();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("--version").output()?.stdout;
    let said = String::from_utf8_lossy(&said);
    writeln!(cargo, "cargo::rustc-env=COTTER_TARGET={}", target.display())?;
    writeln!(cargo, "cargo::rustc-env=COTTER_RUSTC={}", said.trim())?;
    writeln!(cargo, "cargo::rerun-if-env-changed=COTTER_REVISION")?;
    writeln!(cargo, "cargo::rerun-if-changed=build.rs")
}
