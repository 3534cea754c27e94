//! cotter's container image: how large it is, and how long it takes to build without a daemon.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result, ensure};

use crate::table::{Floor, Row, Table, median_time};

const SIZE: &str = "image, compressed";
const NEW: &str = "image build, cotter's own crate new";
const SAME: &str = "image build, nothing new";

// The limit of tests/image.rs; MiB.
const SIZE_FLOOR: f64 = 10.0;

/// Builds of a binary that is there already.
const BUILDS: usize = 5;

const MIB: f64 = 1_048_576.0;

pub(crate) fn rows(table: &Table) -> Result<()> {
    if ![SIZE, NEW, SAME].iter().any(|name| table.wants(name)) {
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    let layout = scratch.path().join("image");
    // Whatever is missing is built now: no row is about the dependencies.
    let (binary, _) = build_binary()?;
    build_image(&layout)?;
    table.print(&size(&layout, &binary)?)?;
    if table.wants(SAME) {
        table.print(&nothing_new(&layout)?)?;
    }
    if table.wants(NEW) {
        table.print(&crate_new(&layout, &binary)?)?;
    }
    Ok(())
}

fn size(layout: &Path, binary: &Path) -> Result<Row> {
    let mut blobs = 0;
    for blob in fs::read_dir(layout.join("blobs/sha256"))? {
        blobs += blob?.metadata()?.len();
    }
    let [image, raw] = [blobs, fs::metadata(binary)?.len()].map(mib);
    Ok(Row {
        name: SIZE.to_owned(),
        figure: format!("{image:.2} MiB"),
        beside: format!("{:.2} × the bare binary of {raw:.2} MiB", image / raw),
        floor: Some(Floor::at_most(image, SIZE_FLOOR, "MiB")),
    })
}

fn nothing_new(layout: &Path) -> Result<Row> {
    let index = fs::read(layout.join("index.json"))?;
    let (mut whole, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..BUILDS {
        alone.push(build_binary()?.1);
        whole.push(build_image(layout)?);
        let again = fs::read(layout.join("index.json"))?;
        ensure!(again == index, "the same binary gave another image");
    }
    let [image, cargo] = [whole, alone].map(|times| median_time(&times));
    Ok(Row {
        name: SAME.to_owned(),
        figure: seconds(image),
        beside: format!(
            "of these {} for cargo to see that, the rest for tar, gzip -9 and crane; median of {BUILDS}, the same digest each time",
            seconds(cargo)
        ),
        floor: None,
    })
}

fn crate_new(layout: &Path, binary: &Path) -> Result<Row> {
    forget(binary)?;
    let start = SystemTime::now();
    let image = build_image(layout)?;
    // The linker's work is the last that cargo does.
    let linked = fs::metadata(binary)?.modified()?;
    let cargo = linked.duration_since(start);
    let cargo = cargo.context("cargo found nothing to build")?;
    Ok(Row {
        name: NEW.to_owned(),
        figure: format!("{:.2} × binary", image.as_secs_f64() / cargo.as_secs_f64()),
        beside: format!(
            "{}, of these {} until the static binary was there; one build, the dependencies built before",
            seconds(image),
            seconds(cargo)
        ),
        floor: None,
    })
}

/// Builds the static binary, and gives its path.
fn build_binary() -> Result<(PathBuf, Duration)> {
    let (path, took) = script("static.sh", None)?;
    Ok((root().join(path.trim()), took))
}

fn build_image(layout: &Path) -> Result<Duration> {
    Ok(script("image.sh", Some(layout))?.1)
}

/// Makes cargo build cotter itself again, for the one target of this binary: `cargo clean` would do so for all targets.
fn forget(binary: &Path) -> Result<()> {
    let own = concat!(env!("CARGO_PKG_NAME"), "-");
    for folder in fs::read_dir(binary.with_file_name(".fingerprint"))? {
        let folder = folder?;
        if folder.file_name().to_string_lossy().starts_with(own) {
            fs::remove_dir_all(folder.path())?;
        }
    }
    Ok(())
}

fn script(name: &str, argument: Option<&Path>) -> Result<(String, Duration)> {
    let mut sh = Command::new("sh");
    sh.arg(root().join("scripts").join(name)).args(argument);
    let start = Instant::now();
    let printed = run(sh).with_context(|| format!("scripts/{name}"))?;
    Ok((printed, start.elapsed()))
}

/// Runs it to its end, and gives what it printed.
fn run(mut command: Command) -> Result<String> {
    // What cargo tells this program about its package is news to a cargo that runs below it.
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    let ended = command.current_dir(root()).output()?;
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().last().unwrap_or_default();
    ensure!(ended.status.success(), "{}: {last}", ended.status);
    Ok(String::from_utf8(ended.stdout)?)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[expect(clippy::cast_precision_loss, reason = "sizes of files, far below 2^53")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
