//! The test of a `Registry`, with the credential in its Secret.

use anyhow::bail;
use jiff::Timestamp;

use super::{Printer, Test, answer, test};
use crate::{
    cli::{
        exit::Exit,
        registry::{
            candidate::{Candidate, Data},
            site::Site,
        },
    },
    cluster::client::connect,
};

/// Takes the steps, and prints each as it is taken.
pub(super) async fn take(name: &str, args: &Test) -> anyhow::Result<Exit> {
    if args.pod.namespace.is_some() || args.registries.credentials.pull_secrets.is_some() {
        bail!(
            "the Registry {name} is tested with its own credential: leave out -n and --pull-secrets, or name a host or an image \
             (nginx:latest, docker.io/library/nginx)"
        );
    }
    let client = args.registries.client()?;
    let (kubeconfig, context) = (args.pod.kubeconfig.as_deref(), args.pod.context.as_deref());
    let site = Site::new(connect(kubeconfig, context).await?, &args.own);
    let (registry, secret) = site.read(name).await?;
    let nothing = Data::new();
    let candidate = Candidate {
        name,
        spec: &registry.spec,
        data: secret.as_ref().map_or(&nothing, |secret| &secret.data),
    };
    let checked = candidate.check(Timestamp::now());
    if let Some(secret) = &secret {
        let host = checked.place.as_ref().map(|place| place.host.as_str());
        secret.is_for(name, host).map_err(anyhow::Error::msg)?;
    }
    let Some((target, trial)) = candidate.trial(&checked, &client).await? else {
        if !checked.is_usable() {
            bail!("Registry {name}: {}", checked.problems());
        }
        bail!(
            "Registry {name} uses cotter's own AWS identity, which cotter tests in the cluster: see what came of it with cotter registry \
             list, or name the host to test another credential"
        );
    };
    let mut printer = Printer::new(args.output.into());
    let report = test(&client, &target, &[trial], &mut printer).await;
    printer.finish()?;
    answer(&report, args.output)
}
