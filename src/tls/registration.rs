//! What the webhook configuration says of cotter: what of it has to be written, and whether the API server could call.
//!
//! Only `caBundle` and the path are ever written. What a bundle must hold is added at once. What it need not hold is
//! left for a while, since another replica may know more than this one, or somebody may be at work there.

use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

use super::{
    bundle::{self, Ca, Distrust, Sightings},
    leaf::Host,
    life::Timing,
    path::SecretPath,
    ports::{Hook, HookWrite},
};

/// What the webhooks should say.
#[derive(Debug)]
pub(super) struct Wish<'a> {
    /// What the bundle must hold; `None` where others keep it.
    pub(super) bundle: Option<&'a [Ca]>,
    pub(super) path: &'a SecretPath,
    pub(super) sightings: &'a Sightings,
    pub(super) timing: Timing,
    /// Whether this replica takes out what is not wanted.
    pub(super) leader: bool,
    /// In ticks.
    pub(super) now: Duration,
}

/// What has to be written; nothing where all is well.
pub(super) fn writes(hooks: &[Hook], wish: &Wish<'_>) -> Vec<HookWrite> {
    let write = |hook: &Hook| {
        let path = (hook.path.as_ref() != Some(wish.path)).then(|| wish.path.clone());
        let bundle = wish
            .bundle
            .and_then(|wanted| bundle_for(hook, wanted, wish));
        (path.is_some() || bundle.is_some()).then_some(HookWrite {
            index: hook.index,
            bundle,
            path,
        })
    };
    hooks.iter().filter_map(write).collect()
}

fn bundle_for(hook: &Hook, wanted: &[Ca], wish: &Wish<'_>) -> Option<String> {
    let has = bundle::read(&hook.bundle);
    let others = has.iter().filter(|ca| !wanted.contains(ca));
    if wanted.iter().any(|ca| !has.contains(ca)) {
        return Some(bundle::write(wanted.iter().chain(others)));
    }
    let old = |ca: &Ca| wish.sightings.has_known(ca, wish.timing.stranger, wish.now);
    let mut others = others.peekable();
    let all_old = others.peek().is_some() && others.all(old);
    (wish.leader && all_old && !wanted.is_empty()).then(|| bundle::write(wanted))
}

/// Whether a call of each webhook would get through: its bundle verifies `chain` for `host`, its path is one of `paths`.
///
/// # Errors
///
/// What is wrong, one line for a person.
pub(super) fn trusts(
    hooks: &[Hook],
    chain: &[CertificateDer<'_>],
    host: &Host,
    paths: &[SecretPath],
    now: Timestamp,
) -> Result<(), String> {
    if hooks.is_empty() {
        return Err(format!("none of its webhooks calls the Service {host}"));
    }
    for Hook {
        name, bundle, path, ..
    } in hooks
    {
        let bundle = bundle::read(bundle);
        bundle::verifies(&bundle, chain, host, now).map_err(|why| match why {
            Distrust::Empty => format!("the caBundle of webhook {name} is empty"),
            Distrust::Unknown => {
                format!(
                    "the caBundle of webhook {name} does not hold the authority of the certificate"
                )
            }
            Distrust::Host => {
                format!("the certificate is not for {host}, the name that the API server calls")
            }
            Distrust::Time => "the certificate is not valid now".to_owned(),
        })?;
        let called = path.as_ref().is_some_and(|path| paths.contains(path));
        if !called {
            return Err(format!("the path of webhook {name} is not cotter's"));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "registration/tests.rs"]
mod tests;
