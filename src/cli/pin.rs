//! `cotter pin`: canonical, pinned images in the files that people keep in git.

pub(super) mod changing;
mod github;
pub(super) mod inputs;
mod json;
pub(super) mod report;
mod sarif;
mod text;
mod told;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::bail;
use clap::{Args, ValueEnum};

use self::{
    changing::{Changed, Changing},
    inputs::Inputs,
    report::Report,
};
use super::{asking::RegistryArgs, credentials::Credentials, exit::Exit, files, running};
use crate::domain::{mentions::Dialect, policy::PinStyle};

const EXAMPLES: &str = "\
Examples:
  cotter pin -f deploy.yaml > pinned.yaml
  cotter pin --in-place k8s charts/frontend/values-dev.yaml
  cotter pin --check --style git-sha -o github .
  kustomize build overlays/dev | cotter pin -f - | kubectl apply -f -";

/// Pin the images in manifests, Helm values, kustomizations and Compose files
///
/// Only the texts of images change; comments, order, quotes, anchors and line ends stay as they are.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Pin {
    /// Files, or directories of *.yaml, *.yml and *.json; - is stdin
    #[arg(value_name = "FILE|DIR|-")]
    pub paths: Vec<PathBuf>,

    /// The same as an option, as kubectl has it
    #[arg(short = 'f', long = "filename", value_name = "FILE|DIR|-")]
    pub more_paths: Vec<PathBuf>,

    /// What is done with the files.
    #[command(flatten)]
    pub mode: ModeArgs,

    /// How a pin is written [default: digest, or what the policy of --config says]
    #[arg(long, value_name = "STYLE")]
    pub style: Option<Style>,

    /// The policy of --config that is used [default: its defaultPolicy]
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,

    /// What the files are, where their names and contents do not tell
    #[arg(long = "as", value_name = "KIND")]
    pub dialect: Option<DialectArg>,

    /// Ask no registry: images are only brought into canonical form
    #[arg(long)]
    pub no_network: bool,

    /// How the list of --check and --in-place is written
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,

    /// How registries are asked.
    #[command(flatten)]
    pub registries: RegistryArgs,
}

/// What is done with the files; without any of these, the one file is printed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ModeArgs {
    /// Write the files anew
    #[arg(short = 'i', long, conflicts_with_all = ["check", "diff"])]
    pub in_place: bool,

    /// Change nothing; list what would change and end with 1
    #[arg(long, conflicts_with = "diff")]
    pub check: bool,

    /// Change nothing; show what would change as a unified diff
    #[arg(long)]
    pub diff: bool,
}

/// `--style`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Style {
    /// repository:tag@sha256:…
    Digest,
    /// repository:GIT-SHA, the tag that is proven to be the same image; the digest where there is none
    GitSha,
    /// repository:GIT-SHA@sha256:…
    GitShaDigest,
}

/// `--as`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DialectArg {
    /// Objects for the API server
    Kubernetes,
    /// Values of a Helm chart
    HelmValues,
    /// A kustomization
    Kustomization,
    /// A Compose file
    Compose,
}

/// `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A line for each image
    Text,
    /// One object with all changes and findings
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands, which GitHub shows beside the lines
    Github,
}

/// What is done with the files.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Print,
    InPlace,
    Check,
    Diff,
}

/// Pins.
///
/// # Errors
/// If nothing can be begun: no file named, a configuration that cannot be used, stdout that is gone.
pub fn run(args: Pin) -> anyhow::Result<ExitCode> {
    running::run(pin(args))
}

async fn pin(args: Pin) -> anyhow::Result<Exit> {
    let mode = args.mode()?;
    let mut report = Report::default();
    let inputs = Inputs::collect(args.all_paths(), &mut report)?;
    let file = args.registries.file()?;
    let policy = file.policies.choose(args.policy.as_deref()).map_err(|_| {
        let name = args.policy.clone().unwrap_or_default();
        anyhow::anyhow!("no policy is called {name:?}; see policies in --config")
    })?;
    let offline = args.no_network || file.resolve.offline;
    let changing = Changing {
        policy: Arc::clone(policy),
        style: args.style.unwrap_or_else(|| policy.pin.style.into()),
        dialect: args.dialect.map(Into::into),
        offline,
    };
    let credentials = Credentials::open(&args.registries.credentials)?;
    let asker = args.registries.asker(&file, credentials, offline)?;
    let texts = inputs.read(&mut report);
    let changed = changing.change(&texts, &asker, &mut report).await;
    let several = texts.len() > 1;
    if mode == Mode::Print && several {
        bail!(
            "these are {} files; choose --in-place, --check or --diff",
            texts.len()
        );
    }
    mode.show(&changed, &mut report)?;
    args.list(mode, &report)?;
    Ok(report.exit(mode == Mode::Check))
}

// === impl Pin ===

impl Pin {
    fn all_paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.iter().chain(&self.more_paths)
    }

    fn mode(&self) -> anyhow::Result<Mode> {
        let mode = match (self.mode.in_place, self.mode.check, self.mode.diff) {
            (true, ..) => Mode::InPlace,
            (_, true, _) => Mode::Check,
            (.., true) => Mode::Diff,
            _ => Mode::Print,
        };
        if self.output != Output::Text && matches!(mode, Mode::Print | Mode::Diff) {
            bail!("-o is for the list of --check and --in-place; choose one of them");
        }
        if mode == Mode::InPlace && self.all_paths().any(|path| path.as_os_str() == "-") {
            bail!("stdin cannot be written in place; leave out --in-place");
        }
        Ok(mode)
    }

    /// The list of changes and findings: the answer of `--check`, and for the others what goes beside it.
    fn list(&self, mode: Mode, report: &Report) -> anyhow::Result<()> {
        let is_answer = matches!(mode, Mode::Check | Mode::InPlace);
        let text = match self.output {
            Output::Json => json::write(report)?,
            Output::Sarif => sarif::write(report)?,
            Output::Github => github::write(report),
            Output::Text => {
                if is_answer {
                    anstream::stdout().write_all(text::changes(report).as_bytes())?;
                }
                anstream::stderr()
                    .write_all(text::findings(report, mode == Mode::Check).as_bytes())?;
                return Ok(());
            }
        };
        anstream::stdout().write_all(text.as_bytes())?;
        Ok(())
    }
}

// === impl Mode ===

impl Mode {
    fn show(self, changed: &[Changed<'_>], report: &mut Report) -> anyhow::Result<()> {
        for one in changed {
            match self {
                Self::Check => {}
                Self::Print => std::io::stdout().write_all(one.text.as_bytes())?,
                Self::Diff => anstream::stdout().write_all(text::diff(one).as_bytes())?,
                Self::InPlace => {
                    let path = one.input.path.as_deref().filter(|_| one.is_changed());
                    if let Some(Err(said)) = path.map(|path| write(path, &one.text)) {
                        report.cannot(&one.input.name, None, said);
                    }
                }
            }
        }
        Ok(())
    }
}

/// A file that its owner made read-only is left as it is, though its directory would let it be replaced.
fn write(path: &Path, text: &str) -> Result<(), String> {
    let is_read_only = fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly());
    if is_read_only {
        return Err(
            "cannot be written: it is read-only; change its mode, or leave it out".to_owned(),
        );
    }
    files::replace(path, text.as_bytes()).map_err(|error| error.to_string())
}

impl From<DialectArg> for Dialect {
    fn from(arg: DialectArg) -> Self {
        match arg {
            DialectArg::Kubernetes => Self::Kubernetes,
            DialectArg::HelmValues => Self::HelmValues,
            DialectArg::Kustomization => Self::Kustomization,
            DialectArg::Compose => Self::Compose,
        }
    }
}

impl From<PinStyle> for Style {
    fn from(style: PinStyle) -> Self {
        match style {
            PinStyle::Digest => Self::Digest,
            PinStyle::GitSha => Self::GitShaDigest,
        }
    }
}

#[cfg(test)]
pub(super) fn json_schema() -> serde_json::Value {
    super::json_page::schema_of::<Report>()
}
