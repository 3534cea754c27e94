//! `make try`: what cotter does to Pods, with embedded parts in place of a cluster.
//!
//! `cargo run --example try` shows the manifests of `examples/manifests` and ends with 1 if one of them did not come out
//! as it should. `cargo run --example try -- my-pod.yaml` takes the reader's own.

mod admission;
mod cotter;
mod diff;
mod lab;
mod manifests;
mod own;
mod page;
mod registry;
mod scenarios;
mod sender;
mod support;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use anstream::eprintln;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    admission::{Admission, admit},
    diff::diff,
    lab::Lab,
    manifests::{defaulted, map_texts, title},
    page::Page,
    scenarios::{ALL, Scenario},
};

/// A scenario did not come out as it should.
const FINDINGS: u8 = 1;
const COULD_NOT_RUN: u8 = 2;
/// 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return could_not_run(&error.to_string()),
    };
    // Whichever way this ends, what was started is dropped with the future, and so ends too.
    let ended = runtime.block_on(async {
        let interrupted = interrupted();
        tokio::select! {
            biased;
            () = interrupted => None,
            done = run(&files) => Some(done),
        }
    });
    match ended {
        Some(Ok(true)) => ExitCode::SUCCESS,
        Some(Ok(false)) => ExitCode::from(FINDINGS),
        Some(Err(error)) => could_not_run(&error),
        None => ExitCode::from(INTERRUPTED),
    }
}

fn could_not_run(error: &str) -> ExitCode {
    eprintln!("try: {error}");
    ExitCode::from(COULD_NOT_RUN)
}

/// Ends with the first signal that asks this program to end. They are caught from the call on, not from the first poll.
fn interrupted() -> impl Future<Output = ()> {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ];
    let waits = kinds.into_iter().filter_map(|kind| signal(kind).ok());
    let waits = waits.map(|mut signal| Box::pin(async move { signal.recv().await }));
    let first = futures_util::future::select_all(waits);
    async { drop(first.await) }
}

/// Whether everything is as it should be.
async fn run(files: &[PathBuf]) -> Result<bool, String> {
    match files {
        [] => scenarios().await,
        [file] => own::run(file).await,
        _ => Err("one file at most: make try F=my-pod.yaml".to_owned()),
    }
}

async fn scenarios() -> Result<bool, String> {
    let (started, mut page) = (Instant::now(), Page::new());
    let lab = Lab::start(true, &[]).await?;
    lab.introduce(&mut page, started.elapsed());
    let mut good = 0;
    for scenario in ALL {
        let mistakes = show(&lab, scenario, &mut page).await?;
        for mistake in &mistakes {
            page.mistake(&lab.registry.readable(mistake));
        }
        good += usize::from(mistakes.is_empty());
    }
    lab.stop().await?;
    let (all, seconds) = (ALL.len(), started.elapsed().as_secs_f64());
    page.heading(&format!(
        "\n{good} of {all} came out as they should, in {seconds:.1} s (a debug build)."
    ));
    page.fact(
        "next",
        "make try F=my-pod.yaml   your own manifest, YAML or JSON",
    );
    page.fact(
        "",
        "make test                all tests, with a real API server and real registries",
    );
    page.fact("", "README.md                first steps in a cluster");
    Ok(good == all)
}

/// Shows one manifest; what is wrong with what came of it.
async fn show(lab: &Lab, scenario: &Scenario, page: &mut Page) -> Result<Vec<String>, String> {
    let objects = manifests::yaml_objects(scenario.text);
    let objects = objects.map_err(|error| format!("{}: {error}", scenario.file))?;
    let mut mistakes = Vec::new();
    for object in objects {
        let object = defaulted(map_texts(object, &|text| lab.registry.real(text)));
        let admission = admit(lab.cotter(scenario.policy), object).await?;
        page.admission(&title(&admission.before), scenario.file, admission.took);
        let comments = scenario
            .text
            .lines()
            .map_while(|line| line.strip_prefix('#'));
        page.paragraph(&comments.collect::<String>());
        tell(lab, &admission, page);
        mistakes.extend(scenario.mistakes(&admission, &lab.registry));
    }
    Ok(mistakes)
}

/// What cotter did to an object and said of it.
fn tell(lab: &Lab, admission: &Admission, page: &mut Page) {
    let readable = |object: &Value| map_texts(object.clone(), &|text| lab.registry.readable(text));
    let lines = diff(&readable(&admission.before), &readable(&admission.after));
    page.diff(&lines);
    if lines.is_empty() && admission.denied.is_none() {
        page.line("    (unchanged)");
    }
    for warning in &admission.warnings {
        page.warning(&lab.registry.readable(warning));
    }
    if let Some(message) = &admission.denied {
        page.denial(&lab.registry.readable(message));
    }
}
