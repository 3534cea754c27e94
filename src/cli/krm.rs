//! `cotter krm`: pinning as a KRM function, for kustomize and kpt.

mod options;
mod results;

use std::{
    io::{Read as _, Write as _},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;

use self::{
    options::Options,
    results::{Outcome, Severity},
};
use super::{
    asking::RegistryArgs,
    credentials::Credentials,
    exit::Exit,
    pin::{
        changing::Changing,
        inputs::{Input, Text},
        report::Report,
    },
    running,
};
use crate::domain::{
    mentions::Dialect,
    yaml::{View, Yaml},
};

const EXAMPLES: &str = "\
Example:
  cotter krm < resource-list.yaml

As a transformer of a kustomization:
  apiVersion: cotter.dev/v1alpha1
  kind: Pin
  metadata:
    name: pin
    annotations:
      config.kubernetes.io/function: |
        exec: {path: /usr/local/bin/cotter, args: [krm]}
  spec: {style: git-sha}

  kustomize build --enable-alpha-plugins --enable-exec .";

/// Pin images as a KRM function: a `ResourceList` on stdin, a `ResourceList` on stdout
///
/// The `functionConfig` may have `style`, `policy` and `offline` under `spec` or `data`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Krm {
    /// How registries are asked.
    #[command(flatten)]
    pub registries: RegistryArgs,
}

/// Runs the function.
///
/// # Errors
/// If stdin holds no `ResourceList`, or the `functionConfig` says what cotter does not know.
pub fn run(args: Krm) -> anyhow::Result<ExitCode> {
    running::run(krm(args))
}

async fn krm(args: Krm) -> anyhow::Result<Exit> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .context("stdin cannot be read")?;
    let (changed, exit) = transform(&text, &args.registries).await?;
    std::io::stdout().write_all(changed.as_bytes())?;
    Ok(exit)
}

async fn transform(text: &str, registries: &RegistryArgs) -> anyhow::Result<(String, Exit)> {
    let yaml = Yaml::read(text).map_err(|error| {
        let place = error.place;
        anyhow!("stdin:{}:{}: not YAML: {error}", place.line, place.column)
    })?;
    let is_list =
        |root: &View<'_, '_>| root.get("kind").and_then(View::string) == Some("ResourceList");
    let Some(root) = yaml.documents().next().filter(is_list) else {
        bail!(
            "stdin holds no ResourceList; kustomize and kpt call cotter krm, for files there is cotter pin"
        );
    };
    let options = Options::of(root)?;
    let file = registries.file()?;
    let policy = file
        .policies
        .choose(options.policy.as_deref())
        .map_err(|_| {
            let name = options.policy.clone().unwrap_or_default();
            anyhow!("functionConfig: no policy is called {name:?}; see policies in --config")
        })?;
    let changing = Changing {
        policy: Arc::clone(policy),
        style: options.style.unwrap_or_else(|| policy.pin.style.into()),
        dialect: Some(Dialect::Kubernetes),
        offline: options.offline || file.resolve.offline,
    };
    let asker = registries.asker(
        &file,
        Credentials::open(&registries.credentials)?,
        changing.offline,
    )?;
    let stdin = Text {
        input: Input::stdin(),
        content: text.to_owned(),
        base: None,
    };
    let (texts, mut report) = ([stdin], Report::default());
    let changed = changing.change(&texts, &asker, &mut report).await;
    let changed = changed.into_iter().next();
    let changed = changed.map_or_else(|| text.to_owned(), |one| one.text);
    let results: Vec<_> = report
        .findings
        .iter()
        .map(|finding| results::of(root, finding, policy))
        .collect();
    let is_error = |result: &Outcome<'_>| result.severity == Severity::Error;
    let exit = if results.iter().any(is_error) {
        Exit::Findings
    } else {
        Exit::Fine
    };
    Ok((results::added(&changed, &results)?, exit))
}
