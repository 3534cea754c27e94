//! What `cotter registry test` prints, for programs and for people.

use std::{io::Write as _, time::Duration};

use serde::Serialize;

use super::target::Target;
use crate::{
    cli::{
        answer::CredentialReport,
        credentials::Way,
        output::{BAD, FAINT, Format, GOOD, printable},
    },
    domain::policy::Cause,
    registry::{
        remedy::{self, Reader},
        steps::{Outcome, Step, Taken},
    },
};

/// Width of a step's name.
const NAME: usize = 11;

/// What `cotter registry test -o json` prints. These names are a promise to programs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::cli::registry) struct TestReport {
    /// The registry's host.
    host: String,
    /// The image that was read; left out for a host alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// Whether a pull goes through; for a host alone, whether the registry takes a credential, or wants none.
    pub(in crate::cli::registry) passed: bool,
    /// The steps before any credential: connect and TLS.
    pub(super) steps: Vec<StepReport>,
    /// The credentials that were tried, in the kubelet's order, until one passed.
    pub(super) ways: Vec<WayTest>,
}

/// A credential that was tried.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct WayTest {
    /// Which one.
    pub(super) credential: CredentialReport,
    /// What its text tells before anybody is asked.
    pub(super) findings: Vec<Verdict>,
    /// Whether all steps went through.
    pub(super) passed: bool,
    /// The steps that were taken. What is odd in the text of a credential ends nothing; any other step that fails is the last.
    pub(super) steps: Vec<StepReport>,
}

/// What the text of a credential tells.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(in crate::cli::registry) struct Verdict {
    /// Whether it cannot work.
    pub(in crate::cli::registry) fatal: bool,
    /// What is wrong, and what to do.
    pub(in crate::cli::registry) text: String,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct StepReport {
    /// `structure`, `connect`, `tls`, `challenge`, `token`, `scope`, `accepted` or `manifest`.
    step: &'static str,
    /// What came of it.
    outcome: StepOutcome,
    /// How long it took, in milliseconds.
    millis: u64,
    /// What was seen, why it was not needed, or what went wrong.
    detail: String,
    /// `invalid`, `notFound`, `unauthorized`, `unavailable` or `refused`, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    /// What to do, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
enum StepOutcome {
    /// It went through.
    Passed,
    /// There was nothing to do.
    Needless,
    /// It failed.
    Failed,
}

/// Prints what a person waits for.
pub(in crate::cli::registry) struct Printer {
    to: To,
    broken: std::io::Result<()>,
}

/// Where steps are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli::registry) enum To {
    /// They are the answer.
    Stdout,
    /// They stand beside it.
    Stderr,
    /// The answer is for a program, and has them.
    Nobody,
}

// === impl TestReport ===

impl TestReport {
    pub(super) fn of(target: &Target) -> Self {
        Self {
            host: target.host().to_string(),
            image: (!target.is_host).then(|| target.shown()),
            passed: false,
            steps: Vec::new(),
            ways: Vec::new(),
        }
    }

    /// Whether any step failed, by any credential.
    pub(in crate::cli::registry) fn has_failed_step(&self) -> bool {
        let of_ways = self.ways.iter().flat_map(|way| &way.steps);
        let mut steps = self.steps.iter().chain(of_ways);
        steps.any(|step| step.outcome == StepOutcome::Failed)
    }
}

// === impl WayTest ===

impl WayTest {
    /// A way that is about to be tried.
    pub(super) fn of(way: &Way) -> Self {
        Self {
            credential: CredentialReport::of(way),
            findings: Vec::new(),
            passed: false,
            steps: Vec::new(),
        }
    }
}

// === impl StepReport ===

impl StepReport {
    /// What the text of a credential tells, which took so long to find.
    pub(super) fn structure(findings: &[Verdict], took: Duration) -> Self {
        let fatal = findings.iter().filter(|finding| finding.fatal);
        let fatal: Vec<_> = fatal.map(|finding| finding.text.as_str()).collect();
        let (outcome, detail) = match (fatal.is_empty(), findings.is_empty()) {
            (false, _) => (StepOutcome::Failed, "user, password or key cannot work"),
            (true, false) => (StepOutcome::Passed, "it may work, but"),
            (true, true) => (StepOutcome::Passed, "user, password and key look right"),
        };
        let is_failed = outcome == StepOutcome::Failed;
        Self {
            step: "structure",
            outcome,
            millis: millis(took),
            detail: detail.to_owned(),
            cause: is_failed.then(|| Cause::Invalid.as_str()),
            remedy: is_failed.then(|| fatal.join("; ")),
        }
    }

    /// A step at `host`; `named`: with a user or a password.
    pub(super) fn of(host: &str, taken: &Taken, named: bool) -> Self {
        let (outcome, detail) = match &taken.outcome {
            Outcome::Passed(seen) => (StepOutcome::Passed, seen),
            Outcome::Needless(why) => (StepOutcome::Needless, why),
            Outcome::Failed(failure, _) => (StepOutcome::Failed, &failure.detail),
        };
        let mut report = Self {
            step: name(taken.step),
            outcome,
            millis: millis(taken.took),
            detail: printable(detail),
            cause: None,
            remedy: None,
        };
        if let Outcome::Failed(failure, hint) = &taken.outcome {
            let remedy = remedy::of_step(
                host,
                taken.step,
                failure.cause,
                *hint,
                named,
                Reader::Person,
            );
            report.cause = Some(failure.cause.as_str());
            report.remedy = Some(remedy.into_owned());
        }
        report
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Connect => "connect",
        Step::Tls => "tls",
        Step::Challenge => "challenge",
        Step::Token => "token",
        Step::Scope => "scope",
        Step::Accepted => "accepted",
        Step::Manifest => "manifest",
    }
}

// === impl To ===

impl From<Format> for To {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Stdout,
            Format::Json => Self::Nobody,
        }
    }
}

// === impl Printer ===

impl Printer {
    pub(in crate::cli::registry) fn new(to: To) -> Self {
        Self { to, broken: Ok(()) }
    }

    pub(super) fn title(&mut self, target: &Target) {
        self.line(&target.shown());
    }

    pub(super) fn way(&mut self, number: usize, credential: &CredentialReport) {
        self.line(&format!("{number}. {}", credential.shown));
    }

    /// What may work, and somebody should look at.
    pub(super) fn hints(&mut self, findings: &[Verdict]) {
        for hint in findings.iter().filter(|finding| !finding.fatal) {
            self.line(&format!("      {}", hint.text));
        }
    }

    pub(super) fn step(&mut self, step: &StepReport) {
        let mark = match step.outcome {
            StepOutcome::Passed => format!("{GOOD}✓{GOOD:#}"),
            StepOutcome::Needless => format!("{FAINT}-{FAINT:#}"),
            StepOutcome::Failed => format!("{BAD}✗{BAD:#}"),
        };
        let StepReport {
            step,
            millis,
            detail,
            remedy,
            ..
        } = step;
        self.line(&format!(
            "  {mark} {step:NAME$} {FAINT}{millis:>5} ms{FAINT:#}  {detail}"
        ));
        for remedy in remedy.iter().flat_map(|remedy| remedy.split("; ")) {
            self.line(&format!("      {remedy}"));
        }
    }

    /// How many ways were left, as an earlier one passed.
    pub(super) fn untried(&mut self, many: usize) {
        if many > 0 {
            self.line(&format!(
                "{FAINT}{many} more would be tried after that{FAINT:#}"
            ));
        }
    }

    /// Whether all could be printed.
    ///
    /// # Errors
    /// If stdout is gone.
    pub(in crate::cli::registry) fn finish(self) -> std::io::Result<()> {
        self.broken
    }

    fn line(&mut self, line: &str) {
        if self.broken.is_ok() {
            self.broken = match self.to {
                To::Stdout => writeln!(anstream::stdout(), "{line}"),
                To::Stderr => writeln!(anstream::stderr(), "{line}"),
                To::Nobody => Ok(()),
            };
        }
    }
}
