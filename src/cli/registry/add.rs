//! `cotter registry add`: a `Registry` and its credential, tested before they are made.

mod making;
mod spec;

use std::{io::Write as _, process::ExitCode};

use anyhow::bail;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

pub use self::spec::SpecArgs;
use super::{
    candidate::{AskArgs, Candidate, Checked, Data},
    manifests::{Credential, Manifests, Shown},
    members::MemberArgs,
    name,
    site::{ClusterArgs, WaitArgs},
    test::{TestReport, To},
    wait::Outcome,
};
use crate::{
    api::registry::{Kind, RegistrySpec},
    cli::{exit::Exit, names, output, running, terminal},
};

/// Make a Registry: asks for its type and what that needs, tests the credential, and creates both
///
/// The credential becomes a Secret in cotter's namespace that says what it is for. Every question has a flag, for scripts. With
/// --dry-run, manifests for Git are printed and nothing is made.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  cotter registry add
  printf %s \"$TOKEN\" | cotter registry add my-ghcr --type GHCR --owner acme --username bot --password-stdin --namespaces shop,till --yes
  cotter registry add hub --type DockerHub --username bot --no-test --dry-run=client -o yaml > registry.yaml")]
pub struct Add {
    /// The name of the Registry
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Do not ask whether to go on
    #[arg(long, short)]
    pub yes: bool,

    /// Print manifests and make nothing
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "client", value_parser = ["client"])]
    pub dry_run: Option<String>,

    /// With --dry-run, print the credential, too
    #[arg(long, requires = "dry_run")]
    pub show_secret: bool,

    /// The form of the answer
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        requires_if("yaml", "dry_run")
    )]
    pub output: Output,

    /// What it says.
    #[command(flatten)]
    pub spec: SpecArgs,

    /// Its credential.
    #[command(flatten)]
    pub members: MemberArgs,

    /// The name of the Secret with the credential [default: that of the Registry]
    #[arg(long, value_name = "NAME", value_parser = names::secret, help_heading = "Credential")]
    pub secret: Option<String>,

    /// No credential: cotter's own AWS identity (IRSA, Pod Identity, instance profile), for ECR
    #[arg(long, help_heading = "Credential", conflicts_with_all = ["username", "access_key_id", "password_stdin", "from_file", "secret"])]
    pub ambient: bool,

    /// Whether to wait.
    #[command(flatten)]
    pub wait: WaitArgs,

    /// How the credential is tested.
    #[command(flatten)]
    pub ask: AskArgs,

    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Text,
    /// One document for programs; with --dry-run, the manifests
    Json,
    /// The manifests, with --dry-run
    Yaml,
}

/// What `cotter registry add -o json` prints. These names are a promise to programs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct AddReport {
    /// The name of the `Registry`.
    name: String,
    /// Whether it was made.
    created: bool,
    /// The Secret with its credential, in cotter's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// What came of the test, as `cotter registry test -o json` prints it; left out where none was made from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<TestReport>,
    /// What cotter has made of it; left out where nobody waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
}

/// Makes a `Registry`.
///
/// # Errors
/// If something is missing that nobody can be asked for, if the credential cannot work, or the cluster refuses it.
pub fn run(args: Add) -> anyhow::Result<ExitCode> {
    running::run(add(args))
}

async fn add(args: Add) -> anyhow::Result<Exit> {
    let asks = terminal::is_interactive() && !args.members.password_stdin;
    let client = args.ask.client()?;
    let name = chosen_name(&args, asks).await?;
    let site = match args.dry_run {
        Some(_) => None,
        None => Some(making::free_place(&args, &name).await?),
    };
    let mut spec = if asks {
        args.spec.ask(!args.yes).await?
    } else {
        args.spec.complete()?
    };
    let data = credential(&args, &mut spec, asks).await?;
    if asks && !args.yes {
        args.spec.ask_rest(&mut spec).await?;
    }
    let nothing = Data::new();
    let candidate = Candidate {
        name: &name,
        spec: &spec,
        data: data.as_ref().unwrap_or(&nothing),
    };
    let checked = candidate.check(Timestamp::now());
    let mut tested = None;
    if !args.leaves_credential_out() {
        checked.judge(client.is_none())?;
    }
    if let Some(client) = &client {
        tested = candidate.tested(&checked, client, args.to()).await?;
    }
    if tested.as_ref().is_some_and(|report| !report.passed)
        && !(asks && terminal::agrees("Make it all the same?").await?)
    {
        return args.refused(name, tested);
    }
    let manifests = args.manifests(&name, spec, &checked, data);
    match site {
        None => args.print(&manifests),
        Some(site) => making::make(&args, &site, name, manifests, tested, asks).await,
    }
}

async fn chosen_name(args: &Add, asks: bool) -> anyhow::Result<String> {
    let given = args.name.as_deref().map(name::plain);
    if let Some(name) = given {
        return names::registry(name).map_err(|why| anyhow::anyhow!("{name:?}: {why}"));
    }
    if !asks {
        bail!("missing: NAME; without a terminal nobody can be asked");
    }
    loop {
        let name = terminal::some_line("Name of the Registry").await?;
        match names::registry(&name) {
            Ok(name) => return Ok(name),
            Err(why) => terminal::warn(&why)?,
        }
    }
}

/// The members of the credential; `None` where the `Registry` has none.
async fn credential(
    args: &Add,
    spec: &mut RegistrySpec,
    asks: bool,
) -> anyhow::Result<Option<Data>> {
    let kind = spec.kind.meant();
    let members = &args.members;
    if args.ambient && spec.kind != Kind::Ecr {
        bail!("--ambient: only the passwords of ECR come from an identity of cotter's own");
    }
    if args.ambient || (kind.keys().is_empty() && !members.are_given()) {
        return Ok(None);
    }
    if asks && spec.kind == Kind::Ecr && !members.are_given() {
        let question = "Use cotter's own AWS identity, without a key?";
        if terminal::agrees(question).await? {
            return Ok(None);
        }
    }
    spec::account(spec, asks).await?;
    let data = if args.leaves_credential_out() {
        members.given(kind)?
    } else {
        members.complete(kind, &Data::new(), asks).await?
    };
    Ok(Some(data))
}

// === impl Add ===

impl Add {
    /// Whether manifests without the credential are all that is wanted.
    fn leaves_credential_out(&self) -> bool {
        self.dry_run.is_some() && self.ask.no_test && !self.show_secret
    }

    /// Where the steps of the test are printed.
    fn to(&self) -> To {
        match self.output {
            _ if self.dry_run.is_some() => To::Stderr,
            Output::Json => To::Nobody,
            Output::Text | Output::Yaml => To::Stdout,
        }
    }

    fn manifests(
        &self,
        name: &str,
        spec: RegistrySpec,
        checked: &Checked,
        data: Option<Data>,
    ) -> Manifests {
        let credential = data.map(|data| Credential {
            name: self.secret.as_deref().unwrap_or(name),
            namespace: &self.cluster.own.cotter_namespace,
            host: checked.place.as_ref().map(|place| place.host.as_str()),
            data,
            is_ours: self.dry_run.is_none(),
        });
        Manifests::new(name, spec, credential)
    }

    /// The manifests, for Git.
    fn print(&self, manifests: &Manifests) -> anyhow::Result<Exit> {
        let shown = if self.show_secret {
            Shown::All
        } else {
            Shown::LeftOut
        };
        if self.output == Output::Json {
            let items = manifests.values(shown)?;
            output::json(&json!({"apiVersion": "v1", "kind": "List", "items": items}))?;
        } else {
            anstream::stdout().write_all(manifests.yaml(shown)?.as_bytes())?;
        }
        if !self.show_secret && manifests.secret.is_some() {
            terminal::warn(
                "the Secret is printed without what is secret in it; --show-secret prints all of it, as base64",
            )?;
        }
        Ok(Exit::Fine)
    }

    /// What a test that failed ends with.
    fn refused(&self, name: String, test: Option<TestReport>) -> anyhow::Result<Exit> {
        if self.output == Output::Json && self.dry_run.is_none() {
            output::json(&AddReport {
                name,
                created: false,
                secret: None,
                test,
                outcome: None,
            })?;
        }
        output::note("nothing is made, as the test failed; --no-test goes on without it")?;
        Ok(Exit::Findings)
    }
}

#[cfg(test)]
pub(in crate::cli) fn json_schema() -> serde_json::Value {
    crate::cli::json_page::schema_of::<AddReport>()
}
