//! Waiting for cotter in the cluster: until it has looked at what a command has written.

use std::{
    io::{self, Write},
    time::Duration,
};

use anyhow::bail;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::{
    site::{Site, WaitArgs},
    standing::Standing,
};
use crate::{api::registry::Registry, cluster::registry_objects::ObjectError};

/// Between two looks.
const EVERY: Duration = Duration::from_millis(300);

/// What cotter has made of it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    /// Whether cotter has tested what was written, and brought it where it is wanted or said why not, before the time was over.
    in_time: bool,
    /// How it stood at the end.
    standing: Standing,
}

/// How a `Registry` stands once cotter has tested the credential that was written, and its pull secrets are in place or cannot
/// be; or as it stands when the time is over. `before`: how it stood before the writing.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn until_followed(
    site: &Site,
    name: &str,
    before: Option<&Registry>,
    args: &WaitArgs,
) -> anyhow::Result<Outcome> {
    let before = before.map(Standing::of);
    let end = Instant::now() + args.timeout;
    let bar = ProgressBar::new_spinner().with_message("waiting for cotter");
    bar.enable_steady_tick(EVERY);
    loop {
        let registry = site.objects.get(name).await?;
        let standing = Standing::of(&registry);
        let in_time = has_followed(&registry, &standing, before.as_ref());
        if in_time || Instant::now() >= end {
            bar.finish_and_clear();
            return Ok(Outcome { in_time, standing });
        }
        if let Some(count) = standing.namespaces {
            let (synced, desired) = (count.synced, count.desired);
            bar.set_message(format!("waiting for cotter: {synced}/{desired} namespaces"));
        }
        sleep(EVERY).await;
    }
}

/// Whether cotter has seen what was written, and has a verdict. What it has not seen yet of the Secret is no verdict.
fn has_followed(registry: &Registry, standing: &Standing, before: Option<&Standing>) -> bool {
    let status = registry.status.as_ref();
    let seen = status.and_then(|status| status.observed_generation);
    if seen < registry.metadata.generation {
        return false;
    }
    let tested_before = before.and_then(|before| before.last_tested_at);
    let trouble = standing.trouble();
    let is_new =
        standing.last_tested_at != tested_before || trouble != before.and_then(Standing::trouble);
    let is_verdict = match trouble {
        Some(side) => side.status == "False" && side.reason != "NoCredential",
        None => standing.is_ready(),
    };
    is_new && is_verdict
}

// === impl Outcome ===

impl Outcome {
    /// Whether all is in place and works.
    pub(super) fn is_fine(&self) -> bool {
        self.in_time && self.standing.is_ready()
    }

    /// That it is so, or what is wrong.
    pub(super) fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        if self.in_time || !self.standing.is_ready() {
            return self.standing.tell(out);
        }
        writeln!(
            out,
            "{}: cotter has not looked at the new credential yet; see that it runs, with registries.enabled, and then cotter registry list",
            self.standing.name
        )
    }
}

/// Waits until a `Registry` is gone.
///
/// # Errors
/// If it is still there when the time is over, or cannot be read.
pub(super) async fn until_gone(site: &Site, name: &str, args: &WaitArgs) -> anyhow::Result<()> {
    let end = Instant::now() + args.timeout;
    loop {
        match site.objects.find(name).await {
            Ok(None) | Err(ObjectError::NoKind) => return Ok(()),
            Ok(Some(_)) if Instant::now() >= end => bail!(
                "Registry {name} is being deleted and still there after {} s: see its finalizers",
                args.timeout.as_secs()
            ),
            Ok(Some(_)) => sleep(EVERY).await,
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// A Registry at generation 2 that was tested at second `tested`; the `sides` with status and reason.
    fn registry(seen: i64, tested: i64, sides: &[(&str, &str, &str)]) -> Registry {
        let at = |second| Timestamp::from_second(second).unwrap();
        let side = |&(kind, status, reason): &(&str, &str, &str)| json!({"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": at(0)});
        let sides: Vec<_> = sides.iter().map(side).collect();
        let registry = json!({
            "apiVersion": "cotter.dev/v1alpha1", "kind": "Registry", "metadata": {"name": "hub", "generation": 2},
            "spec": {"type": "DockerHub"},
            "status": {"observedGeneration": seen, "lastTestedAt": at(tested), "conditions": sides},
        });
        serde_json::from_value(registry).unwrap()
    }

    const READY: (&str, &str, &str) = ("Ready", "True", "Ready");
    const REFUSED: (&str, &str, &str) = ("Authenticated", "False", "Degraded");
    const WAITS: (&str, &str, &str) = ("Synced", "Unknown", "Waiting");
    const INVALID: (&str, &str, &str) = ("Valid", "False", "Invalid");
    const OLD: (&str, &str, &str) = ("Valid", "False", "OtherCredential");
    const NO_SECRET: (&str, &str, &str) = ("Valid", "False", "NoCredential");

    #[rstest]
    #[case::ready(2, 9, &[READY], true)]
    #[case::ready_by_the_test_before(2, 5, &[READY], true)]
    #[case::another_spec(1, 9, &[READY], false)]
    #[case::refused(2, 9, &[REFUSED], true)]
    #[case::refused_by_the_test_before(2, 5, &[REFUSED], true)]
    #[case::under_way(2, 9, &[WAITS], false)]
    #[case::not_looked_at(2, 5, &[], false)]
    #[case::invalid(2, 5, &[INVALID], true)]
    #[case::invalid_as_before(2, 5, &[OLD], false)]
    #[case::invalid_as_before_and_tested_since(2, 9, &[OLD], true)]
    #[case::its_secret_is_not_seen_yet(2, 5, &[NO_SECRET], false)]
    fn cotter_has_followed(
        #[case] seen: i64,
        #[case] tested: i64,
        #[case] sides: &[(&str, &str, &str)],
        #[case] expected: bool,
    ) {
        let before = Standing::of(&registry(2, 5, &[OLD]));
        let registry = registry(seen, tested, sides);
        let followed = has_followed(&registry, &Standing::of(&registry), Some(&before));
        assert_eq!(followed, expected);
    }

    #[test]
    fn one_that_was_ready_has_to_be_tested_again() {
        let before = Standing::of(&registry(2, 5, &[READY]));
        for (tested, expected) in [(5, false), (9, true)] {
            let registry = registry(2, tested, &[READY]);
            let followed = has_followed(&registry, &Standing::of(&registry), Some(&before));
            assert_eq!(followed, expected, "{tested}");
        }
    }
}
