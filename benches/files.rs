//! The command line: pinning many files, editing much YAML, and how soon it answers.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use cotter::domain::{
    digest::Digest,
    mentions::{self, About, Wanted},
    reference::canonicalise,
    yaml::{Yaml, edit},
};
use tempfile::TempDir;

use crate::{
    bare::Bare,
    process::Home,
    registry,
    table::{Floor, Row, Table, median, median_time, millis},
    tls,
};

const CHECK: &str = "pin --check, 2,000 manifests, 300 images";
const EDIT: &str = "parsing and editing 50 MB of YAML";
const HELP: &str = "cotter --help";

/// Issue 5, "Speed and memory".
const CHECK_FLOOR: f64 = 1.3;
const EDIT_FLOOR: f64 = 60.0;
const HELP_FLOOR: f64 = 10.0;

const MANIFESTS: usize = 2_000;
const IMAGES: usize = 300;
/// As far as a registry of the same cloud region.
const ROUND_TRIP: Duration = Duration::from_millis(20);
/// What cotter gives one registry at a time, and so the baseline too.
const AT_ONCE: usize = 32;
const ROUNDS: usize = 5;
const BYTES: usize = 50_000_000;
const STARTS: usize = 21;

pub(crate) async fn rows(table: &Table) -> Result<()> {
    if table.wants(CHECK) {
        table.print(&check().await?)?;
    }
    if table.wants(EDIT) {
        table.print(&editing()?)?;
    }
    if table.wants(HELP) {
        table.print(&help()?)?;
    }
    Ok(())
}

/// A Deployment as people write them, with comments, some environment and two images.
fn manifest(number: usize, image: &str) -> String {
    let mut text = format!(
        "# Deployment {number}, owned by team {}\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: service-{number}\n  \
         labels: {{app: service-{number}, team: 'platform'}}\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app: service-{number}\n  \
         template:\n    metadata:\n      labels:\n        app: service-{number}\n    spec:\n      containers:\n      - name: app # the service\n        \
         image: {image}\n        ports:\n        - containerPort: 8080\n          name: http\n        env:\n",
        number % 17
    );
    for variable in 0..12 {
        let _ = writeln!(
            text,
            "        - name: VARIABLE_{variable}\n          value: \"value {variable} of service {number}\""
        );
    }
    let _ = write!(
        text,
        "        resources:\n          requests: {{cpu: 100m, memory: 128Mi}}\n          limits:\n            memory: 256Mi\n        \
         readinessProbe:\n          httpGet: {{path: /readyz, port: http}}\n      initContainers:\n      - name: migrate\n        image: \"{image}\"\n        \
         command: [\"/migrate\", \"--up\"]\n---\n"
    );
    text
}

async fn check() -> Result<Row> {
    let repositories = registry::repositories(1);
    let repository = repositories.first().context("a repository")?;
    let tags: Vec<String> = (0..IMAGES).map(|n| format!("dev-{n}")).collect();
    let names: Vec<&str> = tags.iter().map(String::as_str).collect();
    let far = registry::start(ROUND_TRIP, &repositories, &names).await;
    let address = registry::address(&far)?;
    let tls = tls::client(far.ca_pem())?;
    let home = Home::new(std::slice::from_ref(&far))?;
    let folder = TempDir::new()?;
    for number in 0..MANIFESTS {
        let tag = tags.get(number % IMAGES).context("a tag")?;
        let image = format!("{}/{repository}:{tag}", far.host());
        fs::write(
            folder.path().join(format!("{number}.yaml")),
            manifest(number, &image),
        )?;
    }
    let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let alone = Bare::heads(address, &tls, repository, &tags, AT_ONCE).await?;
        let start = Instant::now();
        let status = tokio::process::Command::new(env!("CARGO_BIN_EXE_cotter"))
            .args(["pin", "--check", "-o", "json", "--config"])
            .arg(home.path().join("cotter.yaml"))
            .arg("--pull-secrets")
            .arg(home.path().join("secrets"))
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await?;
        let took = start.elapsed();
        ensure!(status.code() == Some(1), "pin --check ended with {status}");
        ratios.push(took.as_secs_f64() / alone.as_secs_f64());
        ours.push(took);
        bare.push(alone);
    }
    let ratio = median(ratios);
    Ok(Row {
        name: CHECK.to_owned(),
        figure: format!("{ratio:.2}"),
        beside: format!(
            "{} against {} for the token and {IMAGES} HEADs, {AT_ONCE} at once, {} away",
            millis(median_time(&ours)),
            millis(median_time(&bare)),
            millis(ROUND_TRIP)
        ),
        floor: Some(Floor::at_most(ratio, CHECK_FLOOR, "×")),
    })
}

/// On one core: reading, finding, writing, for texts of about 200 KB, as a directory of manifests has them.
fn editing() -> Result<Row> {
    let mut texts = vec![String::new()];
    let (mut number, mut bytes) = (0, 0);
    while bytes < BYTES {
        let text = manifest(
            number,
            &format!("ghcr.io/ByteQuester/app-{}:dev", number % IMAGES),
        );
        number += 1;
        bytes += text.len();
        if texts.last().is_some_and(|last| last.len() > 200_000) {
            texts.push(String::new());
        }
        texts.last_mut().context("a text")?.push_str(&text);
    }
    let digest = Arc::new(Digest::of(b"bench"));
    let mut speeds = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut images = 0;
        for text in &texts {
            images += pinned(text, &digest)?;
        }
        ensure!(images == number * 2, "{images} images");
        let megabytes = f64::from(u32::try_from(bytes)?) / 1e6;
        speeds.push(megabytes / start.elapsed().as_secs_f64());
    }
    let speed = median(speeds);
    Ok(Row {
        name: EDIT.to_owned(),
        figure: format!("{speed:.0} MB/s"),
        beside: format!("{number} Deployments, {} images, one core", number * 2),
        floor: Some(Floor::at_least(speed, EDIT_FLOOR, "MB/s")),
    })
}

fn pinned(text: &str, digest: &Digest) -> Result<usize> {
    let yaml = Yaml::read(text)?;
    let found = mentions::find(&yaml, About::default());
    let mut edits = Vec::new();
    for mention in &found.mentions {
        let canonical = canonicalise(&mention.image, false)?;
        let wanted = Wanted {
            canonical: &canonical,
            tag: canonical.reference.tag(),
            digest: Some(digest),
        };
        edits.extend(mention.edits(&wanted).context("no place")?);
    }
    let changed = edit::apply(text, edits)?;
    ensure!(changed.len() > text.len(), "nothing was written");
    Ok(found.mentions.len())
}

fn help() -> Result<Row> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let start = Instant::now();
        let ended = Command::new(env!("CARGO_BIN_EXE_cotter"))
            .arg("--help")
            .stdout(Stdio::null())
            .status()?;
        times.push(start.elapsed());
        ensure!(ended.success(), "--help ended with {ended}");
    }
    let middle = median_time(&times);
    let longest = times.iter().max().copied().unwrap_or_default();
    Ok(Row {
        name: HELP.to_owned(),
        figure: millis(middle),
        beside: format!(
            "from exec to exit; longest of {STARTS}: {}",
            millis(longest)
        ),
        floor: Some(Floor::at_most(middle.as_secs_f64() * 1e3, HELP_FLOOR, "ms")),
    })
}
