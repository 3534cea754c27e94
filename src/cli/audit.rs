//! `cotter audit`: what a running cluster pulls, what is wrong with it, and what enforcing would change.

mod drift;
mod enforcing;
mod fold;
mod judge;
mod look;
mod markdown;
mod once;
mod report;
mod rules;
mod sarif;
mod secrets;
mod shape;
mod table;
#[cfg(test)]
pub(super) fn json_schema() -> serde_json::Value {
    super::json_page::schema_of::<report::Report>()
}

#[cfg(test)]
mod tests;
mod world;

use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use smol_str::SmolStr;

use self::{
    fold::Fold,
    look::Terms,
    once::{Images, Once},
    report::{FindingKind, Report},
    world::World,
};
use super::{exit::Exit, output, running, settings};
use crate::{
    cluster::{
        client,
        inventory::{Area, Inventory},
    },
    config::{
        file::{self, CredentialSource, FileConfig},
        proxy::ProxyArgs,
    },
    registry::client::Client,
    telemetry::metrics::Metrics,
};

const EXAMPLES: &str = "\
Examples:
  cotter audit
  cotter audit -A --config cotter.yaml
  cotter audit -n shop -o wide
  cotter audit -A --workloads -o json > audit.json
  cotter audit -A -o sarif --fail-on unresolved,broken-secret

Without -n and -A it is the namespace of the kubeconfig's context. --config has the policies and registries of the webhook.
It ends with 0 if nothing was found that counts, 1 if something was, and 2 if it could not run or could not look for \
something that counts, such as for want of a right. Registries at private addresses are asked only if the file of \
--config allows them, as in the webhook.";

/// Shapes of Pods that are looked at together: enough that as many questions as one registry takes are always under way.
const LOOKS_AT_ONCE: usize = 64;

/// Look at the Pods and pull secrets of a cluster, and change nothing
///
/// Finds images that run unpinned, tags that have drifted since, references that cannot be resolved, missing, broken,
/// expired and unused pull secrets, upper-case names, and says what enforcing would change, namespace by namespace.
/// Registries are asked with the pull secrets of each Pod, as its kubelet would.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Audit {
    /// The namespace [default: that of the kubeconfig's context]
    #[arg(short, long, value_name = "NS", conflicts_with = "all_namespaces")]
    pub namespace: Option<SmolStr>,

    /// All namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,

    /// How the answer is written
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    pub output: Output,

    /// Look at objects with Pod templates, too: what their Pods would pull
    #[arg(long)]
    pub workloads: bool,

    /// Which findings make it end with 1
    #[arg(
        long,
        value_name = "KIND,…",
        value_delimiter = ',',
        default_value = "unpinned,unresolved,missing-secret,broken-secret,expired-secret,upper-case"
    )]
    pub fail_on: Vec<FailOn>,

    /// Policies, registries (private CAs, plain HTTP) and how to resolve, as `cotter serve` reads them
    #[arg(long, value_name = "FILE", env = "COTTER_CONFIG")]
    pub config: Option<PathBuf>,

    /// The environment's proxies.
    #[command(flatten)]
    pub proxy: ProxyArgs,

    /// The kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the Pod's own service account]
    #[arg(long, value_name = "FILE", env = "COTTER_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context [default: its current one]
    #[arg(long, value_name = "NAME", env = "COTTER_CONTEXT")]
    pub context: Option<String>,
}

/// `-o`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Namespaces, what enforcing would change, and findings
    Table,
    /// The same and every image
    Wide,
    /// One document with all of it; its fields stay as they are
    Json,
    /// Tables for a pull request or a ticket
    Markdown,
    /// SARIF 2.1.0, findings only
    Sarif,
}

/// `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// An image runs by a tag that may move
    Unpinned,
    /// What runs is not what its tag means now
    Drifted,
    /// A registry does not tell what a reference means
    Unresolved,
    /// A pull secret is missing
    MissingSecret,
    /// The kubelet cannot read a pull secret
    BrokenSecret,
    /// The credential of a pull secret has ended
    ExpiredSecret,
    /// Nobody uses a pull secret, or it matches no image
    UnusedSecret,
    /// An image's name has upper-case letters
    UpperCase,
    /// Any of these
    All,
    /// None of them
    None,
}

/// Audits.
///
/// # Errors
/// If it cannot begin: a configuration that cannot be used, no cluster, no such namespace; or if stdout is gone.
pub fn run(args: Audit) -> anyhow::Result<ExitCode> {
    running::run_alone(async move {
        let counts = counted(&args.fail_on);
        let output = args.output;
        let report = audit(args).await?;
        write(&report, output)?;
        for one in &report.unchecked {
            output::note(&one.message)?;
        }
        Ok(exit(&report, &counts))
    })
}

async fn audit(args: Audit) -> anyhow::Result<Report> {
    let file = args
        .config
        .as_deref()
        .map(file::read)
        .transpose()?
        .unwrap_or_default();
    let proxy = args.proxy.proxy()?;
    let client = client::connect(args.kubeconfig.as_deref(), args.context.as_deref()).await?;
    let area = match (args.namespace, args.all_namespaces) {
        (Some(namespace), _) => Area::Namespace(namespace),
        (None, true) => Area::Everywhere,
        (None, false) => Area::Namespace(client.default_namespace().into()),
    };
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(120));
    let world = World::list(&Inventory::new(client, area), args.workloads, &bar).await?;
    bar.finish_and_clear();
    let settings = settings::registry(&file, proxy.as_ref());
    let registry = Client::new(settings, Arc::new(Metrics::default()))?;
    let terms = terms(registry, &file);
    let bar = ProgressBar::new(world.shapes.len() as u64);
    let style = ProgressStyle::with_template("asking registries {bar:30} {pos}/{len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let report = look(&world, &terms, &file, &bar, Timestamp::now()).await;
    bar.finish_and_clear();
    Ok(report)
}

fn terms<S: Images>(source: S, file: &FileConfig) -> Terms<S> {
    let resolve = &file.resolve;
    let held = file
        .registries
        .iter()
        .filter(|r| r.credentials == CredentialSource::Node);
    Terms {
        // Not more than one registry takes, or questions would wait there in their own time.
        registry: Once::new(source, resolve.timeout, resolve.per_registry),
        node_held: held.map(|registry| registry.host.clone()).collect(),
        offline: resolve.offline,
        since: Instant::now(),
    }
}

/// Looks at all shapes, so many at a time, and keeps of each what is said of it.
async fn look<S: Images>(
    world: &World,
    terms: &Terms<S>,
    file: &FileConfig,
    bar: &ProgressBar,
    now: Timestamp,
) -> Report {
    let nothing = world::Room::default();
    let looks = stream::iter(&world.shapes).map(|(shape, members)| {
        let room = world.rooms.get(&shape.namespace).unwrap_or(&nothing);
        let policy = file.policies.choose(room.choice.policy.as_deref());
        let policy = policy.unwrap_or_else(|default| default);
        async move {
            let judged = terms.look(shape, members, room, policy, judge::judge).await;
            (shape, members, judged)
        }
    });
    let mut looks = looks.buffer_unordered(LOOKS_AT_ONCE);
    let mut fold = Fold::default();
    while let Some((shape, members, judged)) = looks.next().await {
        fold.add(shape, members, judged);
        bar.inc(1);
    }
    fold.finish(&world.rooms, world.unchecked.clone(), now)
}

fn write(report: &Report, output: Output) -> io::Result<()> {
    let mut out = BufWriter::new(anstream::stdout().lock());
    match output {
        Output::Table => table::write(report, false, &mut out)?,
        Output::Wide => table::write(report, true, &mut out)?,
        Output::Markdown => markdown::write(report, &mut out)?,
        Output::Sarif => sarif::write(report, &mut out)?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

/// The kinds that count.
fn counted(fail_on: &[FailOn]) -> Vec<FindingKind> {
    let mut kinds = Vec::new();
    for one in fail_on {
        match one {
            FailOn::Unpinned => kinds.push(FindingKind::Unpinned),
            FailOn::Drifted => kinds.push(FindingKind::Drifted),
            FailOn::Unresolved => kinds.push(FindingKind::Unresolved),
            FailOn::MissingSecret => kinds.push(FindingKind::MissingSecret),
            FailOn::BrokenSecret => kinds.push(FindingKind::BrokenSecret),
            FailOn::ExpiredSecret => kinds.push(FindingKind::ExpiredSecret),
            FailOn::UnusedSecret => kinds.push(FindingKind::UnusedSecret),
            FailOn::UpperCase => kinds.push(FindingKind::UpperCase),
            FailOn::All => kinds.extend(FindingKind::ALL),
            FailOn::None => {}
        }
    }
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// What was not looked for is not known to be fine. Without Pods there was nothing to look at.
fn exit(report: &Report, counts: &[FindingKind]) -> Exit {
    let is_open = |kind: &FindingKind| counts.contains(kind);
    let without_pods = report.unchecked.iter().any(|one| one.resource == "pods");
    let open = report
        .unchecked
        .iter()
        .any(|one| one.leaves_open.iter().any(is_open));
    if without_pods || open {
        Exit::CouldNotRun
    } else if fold::count(report, counts) > 0 {
        Exit::Findings
    } else {
        Exit::Fine
    }
}
