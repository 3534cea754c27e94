//! `cotter registry test`: a registry and its credentials, step by step.

mod of_registry;
mod report;
mod target;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;

use self::report::{StepReport, WayTest};
pub(super) use self::{
    report::{Printer, TestReport, To, Verdict},
    target::Target,
};
use super::{name, site::OwnNamespace};
use crate::{
    cli::{
        asking::RegistryArgs,
        credentials::Way,
        exit::Exit,
        output::{self, Format},
        pod::PodArgs,
        running,
    },
    domain::registry_type::{self, Login, Severity},
    registry::{client::Client, steps::Taken},
};

/// Test a registry and its credentials: what can be told from their text, then what a pull does, step by step
///
/// A Registry is tested with the credential in its Secret, as cotter tests it, and with its own probe. With an image, the last step reads its manifest, as a pull does. With a host alone it ends where the registry takes the
/// credential, which is no proof that anything may be pulled. All credentials that match are tried in the kubelet's order until
/// one does. Exit code 1: a step failed, even if a later credential made up for it.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter registry test ghcr.io
  cotter registry test ghcr.io/acme/app:dev --pull-secrets secret.yaml
  cotter registry test -n shop ghcr.io/acme/app:dev
  cotter registry test my-ghcr")]
pub struct Test {
    /// A Registry by its name (registry/NAME where that has a dot), a registry's host, or an image in it; registry:5000/app where
    /// registry:5000 could be an image too
    #[arg(value_name = "NAME|HOST|IMAGE")]
    pub target: String,

    /// The form of the answer
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Format,

    /// For which Pods.
    #[command(flatten)]
    pub pod: PodArgs,

    /// How registries are asked.
    #[command(flatten)]
    pub registries: RegistryArgs,

    /// Where the credential of a Registry is.
    #[command(flatten)]
    pub own: OwnNamespace,
}

/// Takes the steps and prints each as it is taken.
///
/// # Errors
/// If the target is none, the configuration, the credentials or the cluster cannot be read, or stdout is gone.
pub fn run(args: Test) -> anyhow::Result<ExitCode> {
    running::run(take(args))
}

async fn take(args: Test) -> anyhow::Result<Exit> {
    if let Some(name) = name::of_registry(&args.target) {
        return of_registry::take(name, &args).await;
    }
    let Test {
        target,
        output,
        pod,
        registries,
        ..
    } = args;
    let target = Target::parse(&target)?;
    let file = registries.file()?;
    let source = pod.open(&registries.credentials, &file.policies).await?;
    if file.resolve.offline {
        bail!("the configuration says offline: true, so no registry is asked");
    }
    let asker = registries.asker(&file, source.credentials, false)?;
    let host = target.host();
    let ways = asker.credentials.ways(&target.image).await?;
    let trials: Vec<_> = ways.into_iter().map(|way| Trial::of(&host, way)).collect();
    let mut printer = Printer::new(output.into());
    let report = test(&asker.client, &target, &trials, &mut printer).await;
    printer.finish()?;
    answer(&report, output)
}

fn answer(report: &TestReport, output: Format) -> anyhow::Result<Exit> {
    let is_fine = report.passed && !report.has_failed_step();
    if output == Format::Json {
        output::json(report)?;
    }
    Ok(if is_fine { Exit::Fine } else { Exit::Findings })
}

/// A credential that is tried.
pub(super) struct Trial {
    pub(super) way: Way,
    /// What its text tells, and how long it took to find; `None` for nobody's.
    pub(super) structure: Option<(Vec<Verdict>, Duration)>,
    /// Whether there is anything to ask with.
    pub(super) is_usable: bool,
}

impl Trial {
    fn of(host: &str, way: Way) -> Self {
        let start = Instant::now();
        let findings = structure(host, &way);
        Self {
            structure: findings.map(|findings| (findings, start.elapsed())),
            is_usable: true,
            way,
        }
    }
}

/// Takes the steps with each credential until one passes, and prints each as it is taken.
pub(super) async fn test(
    client: &Client,
    target: &Target,
    trials: &[Trial],
    printer: &mut Printer,
) -> TestReport {
    let host = target.host();
    let mut report = TestReport::of(target);
    printer.title(target);
    let mut hear = |taken: Taken| {
        let step = StepReport::of(&host, &taken, false);
        printer.step(&step);
        report.steps.push(step);
    };
    if !client.reach(&host, &mut hear).await {
        return report;
    }
    for (at, trial) in trials.iter().enumerate() {
        let tried = attempt(client, target, at, trial, printer).await;
        report.passed = tried.passed;
        report.ways.push(tried);
        if report.passed {
            break;
        }
    }
    printer.untried(trials.len().saturating_sub(report.ways.len()));
    report
}

async fn attempt(
    client: &Client,
    target: &Target,
    at: usize,
    trial: &Trial,
    printer: &mut Printer,
) -> WayTest {
    let (host, way) = (target.host(), &trial.way);
    let mut tried = WayTest::of(way);
    printer.way(at + 1, &tried.credential);
    if let Some((findings, took)) = &trial.structure {
        let step = StepReport::structure(findings, *took);
        printer.step(&step);
        printer.hints(findings);
        tried.steps.push(step);
        tried.findings.clone_from(findings);
    }
    if trial.is_usable {
        let named = way.names_somebody();
        let mut hear = |taken: Taken| {
            let step = StepReport::of(&host, &taken, named);
            printer.step(&step);
            tried.steps.push(step);
        };
        let place = target.place(way);
        tried.passed = client.pull(place, target.tag(), &mut hear).await;
    }
    tried
}

/// What the text of a way's credential tells; `None` for nobody's.
fn structure(host: &str, way: &Way) -> Option<Vec<Verdict>> {
    let credential = way.credential.as_ref()?;
    if credential.is_empty() {
        let text = "the entry has neither user nor password, so it asks as nobody does".to_owned();
        return Some(vec![Verdict { fatal: false, text }]);
    }
    let key = way.origin.key();
    let username = String::from_utf8_lossy(credential.username());
    let login = Login {
        server: key.as_deref().unwrap_or(host),
        username: &username,
        password: credential.password(),
    };
    let found = registry_type::check(&login, Timestamp::now());
    let verdict = |finding: registry_type::Finding| Verdict {
        fatal: finding.severity == Severity::Error,
        text: output::printable(&finding.text),
    };
    Some(found.into_iter().map(verdict).collect())
}

#[cfg(test)]
pub(in crate::cli) fn json_schema() -> serde_json::Value {
    crate::cli::json_page::schema_of::<report::TestReport>()
}
