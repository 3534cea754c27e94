//! Starting and ending the lab from outside.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anstream::{eprint, print, println};

use crate::{
    story::READY,
    support::node::{
        install,
        sandbox::{self, FOLDER, Mode},
    },
};

const START: Duration = Duration::from_mins(3);
const END: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// Starts the lab, and returns when cotter is ready in it.
pub(crate) fn up() -> Result<ExitCode, String> {
    let missing = sandbox::missing();
    if !missing.is_empty() {
        return Err(format!("this machine lacks {}", missing.join(", ")));
    }
    if sandbox::is_running() {
        return Err(sandbox::RUNNING.to_owned());
    }
    let image = install::layout();
    if !image.is_dir() {
        return Err(format!("{} is missing; run make image", image.display()));
    }
    println!("lab: a control plane, a node, a registry and cotter; this takes half a minute");
    // A file without a name: what the lab says while it starts is seen only if it does not start.
    let mut said = tempfile::tempfile().map_err(|error| error.to_string())?;
    let me = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut keeper = sandbox::keeper(Mode::Hold, &me, &["inside".to_owned()]);
    // A group of its own: the lab outlives the terminal's interrupts.
    keeper.process_group(0).stdin(Stdio::null());
    let keeper = keeper.stdout(copy(&said)?).stderr(copy(&said)?).spawn();
    let mut keeper = keeper.map_err(|error| format!("flock: {error}"))?;
    let ready = wait_until_ready(&mut keeper);
    if ready.is_err() {
        let mut text = String::new();
        let _ = said.seek(SeekFrom::Start(0));
        let _ = said.read_to_string(&mut text);
        eprint!("{text}");
        if keeper.try_wait().is_ok_and(|ended| ended.is_none()) {
            down()?;
        }
    }
    print!("{}", ready?);
    Ok(ExitCode::SUCCESS)
}

/// Ends the lab, and clears what one that was killed left behind.
pub(crate) fn down() -> Result<ExitCode, String> {
    if let Ok(keeper) = std::fs::read_to_string(Path::new(FOLDER).join("keeper.pid"))
        && sandbox::is_running()
    {
        let told = Command::new("kill")
            .args(["-s", "TERM", keeper.trim()])
            .status();
        told.map_err(|error| format!("kill: {error}"))?;
        let started = Instant::now();
        while sandbox::is_running() {
            if started.elapsed() > END {
                return Err(format!("process {} does not end", keeper.trim()));
            }
            sleep(LOOK);
        }
    }
    let cleared = sandbox::keeper(Mode::Clear, Path::new("true"), &[]).status();
    match cleared {
        Ok(status) if status.success() => Ok(ExitCode::SUCCESS),
        Ok(_) => Err(sandbox::RUNNING.to_owned()),
        Err(error) => Err(format!("flock: {error}")),
    }
}

fn copy(file: &File) -> Result<Stdio, String> {
    file.try_clone()
        .map(Stdio::from)
        .map_err(|error| error.to_string())
}

fn wait_until_ready(keeper: &mut Child) -> Result<String, String> {
    let started = Instant::now();
    while started.elapsed() < START {
        if let Ok(text) = std::fs::read_to_string(Path::new(FOLDER).join(READY)) {
            return Ok(text);
        }
        if let Ok(Some(ended)) = keeper.try_wait() {
            return Err(format!("it did not start: {ended}"));
        }
        sleep(LOOK);
    }
    Err(format!("not ready after {START:?}"))
}
