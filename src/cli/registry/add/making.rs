//! Making the objects: shown first, the Secret before the `Registry`, and nothing left behind where the second fails.

use std::io::Write as _;

use anyhow::{Context as _, bail};

use super::{Add, AddReport, Output};
use crate::cli::{
    exit::Exit,
    output,
    registry::{
        manifests::{Manifests, Shown},
        site::Site,
        test::TestReport,
        wait::{self, Outcome},
    },
    terminal,
};

/// The cluster, once it is known that the names are free there.
///
/// # Errors
/// If they are not, or the cluster does not tell.
pub(super) async fn free_place(args: &Add, name: &str) -> anyhow::Result<Site> {
    let site = args.cluster.open().await?;
    if site.objects.find(name).await?.is_some() {
        bail!(
            "there is a Registry {name} already: cotter registry rotate {name} changes its credential; or choose another name"
        );
    }
    let secret = args.secret.as_deref().unwrap_or(name);
    if !args.ambient && site.objects.secret(secret).await?.is_some() {
        let own = &site.own_namespace;
        bail!(
            "there is a Secret {own}/{secret} already: choose another name for the credential with --secret, or delete it"
        );
    }
    Ok(site)
}

/// Shows what is to be made, asks, makes it, and waits for cotter.
///
/// # Errors
/// If it is refused, with what is there after that.
pub(super) async fn make(
    args: &Add,
    site: &Site,
    name: String,
    manifests: Manifests,
    test: Option<TestReport>,
    asks: bool,
) -> anyhow::Result<Exit> {
    if !agreed(args, &manifests, asks).await? {
        output::note("nothing is made")?;
        return Ok(Exit::Findings);
    }
    create(site, &manifests).await?;
    let secret = manifests
        .secret
        .as_ref()
        .and_then(|s| s.metadata.name.clone());
    let mut out = anstream::stdout();
    if args.output == Output::Text {
        if let Some(secret) = &secret {
            writeln!(out, "secret/{secret} created")?;
        }
        writeln!(out, "registry.cotter.dev/{name} created")?;
    }
    let mut outcome = None;
    if !args.wait.no_wait {
        outcome = Some(wait::until_followed(site, &name, None, &args.wait).await?);
    }
    let is_fine = outcome.as_ref().is_none_or(Outcome::is_fine);
    if args.output == Output::Json {
        output::json(&AddReport {
            name,
            created: true,
            secret,
            test,
            outcome,
        })?;
    } else if let Some(outcome) = &outcome {
        outcome.tell(&mut out)?;
    }
    Ok(if is_fine { Exit::Fine } else { Exit::Findings })
}

async fn agreed(args: &Add, manifests: &Manifests, asks: bool) -> anyhow::Result<bool> {
    if args.yes {
        return Ok(true);
    }
    if !asks {
        bail!("missing: --yes; without a terminal nobody can be asked whether to make it");
    }
    let mut out = anstream::stderr();
    writeln!(out, "\n{}", manifests.yaml(Shown::Masked)?)?;
    terminal::agrees("Make this?").await
}

async fn create(site: &Site, manifests: &Manifests) -> anyhow::Result<()> {
    let objects = &site.objects;
    if let Some(secret) = &manifests.secret {
        objects.create_secret(secret).await.with_context(
            || "nothing is made; --cotter-namespace names the namespace that cotter runs in",
        )?;
    }
    let Err(refused) = objects.create(&manifests.registry).await else {
        return Ok(());
    };
    let Some(secret) = &manifests.secret else {
        return Err(refused.into());
    };
    let name = secret.metadata.name.as_deref().unwrap_or_default();
    match objects.delete_secret(name).await {
        Ok(()) => Err(anyhow::Error::from(refused).context("nothing is made")),
        Err(error) => {
            let own = &site.own_namespace;
            Err(anyhow::Error::from(refused).context(format!(
                "the Secret {own}/{name} is made and the Registry is not; it could not be taken away again ({error}): \
                 kubectl delete secret -n {own} {name}"
            )))
        }
    }
}
