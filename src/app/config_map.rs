//! `cotter.yaml` in a `ConfigMap`: in use within seconds, or refused where its owner sees it.

use crate::{
    cluster::{
        config_map::{self, Content, KEY, Seen, Watched},
        events::{Events, What},
    },
    config::{
        config::Own,
        file::FileConfig,
        reload::{Reload, WatchedText},
    },
    telemetry::readiness::{Handle, Readiness},
};

use super::{
    gate::Switch,
    reload::{InUse, PAUSE},
    source::Joined,
    watches::{Missing, denied},
};

/// What is done when a content is refused after a good one.
const OLD: &str = "the configuration before stays in use";

const REFUSED: What = What::warning("ConfigRefused", "Reload");
const USED: What = What::normal("ConfigUsed", "Reload");

/// Follows one `ConfigMap`.
pub(super) struct Mapped {
    map: Watched,
    text: WatchedText,
    in_use: InUse,
    events: Events,
    missing: Missing,
    ready: Handle,
    gate: Switch,
    /// Whether any of its contents is in use.
    used: bool,
    /// Why the latest is not, as its owner was told.
    refused: Option<String>,
}

/// Follows the `ConfigMap` that cotter is told to read, if it is. Until there is a good content, its check does not
/// pass and `gate` is shut.
pub(super) fn open(
    joined: Joined,
    in_use: &InUse,
    gate: &Switch,
    readiness: &Readiness,
) -> Option<Mapped> {
    let Own {
        namespace,
        config_map,
        ..
    } = joined.own;
    let (namespace, name) = (namespace?, config_map?);
    let map = config_map::follow(&joined.client, &namespace, &name, &in_use.metrics);
    Some(Mapped {
        map,
        text: WatchedText::new(format!("ConfigMap {namespace}/{name}")),
        in_use: in_use.clone(),
        events: joined.events,
        missing: joined.missing,
        ready: readiness.check("config map"),
        gate: gate.clone(),
        used: false,
        refused: None,
    })
}

// === impl Mapped ===

impl Mapped {
    /// Follows it for ever.
    pub(super) async fn follow(mut self) {
        let mut status = self.map.watches.subscribe();
        let mut teller = self.missing.teller();
        loop {
            self.look();
            let missing = denied(&status.borrow_and_update());
            teller.tell(&missing);
            tokio::select! {
                _ = self.map.seen.changed() => {}
                _ = status.changed() => {}
                // A CA file that the text names may have changed.
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    fn look(&mut self) {
        let seen = self.map.seen.borrow_and_update().clone();
        let mut watches = self.map.watches.status().into_iter();
        let error = watches.find_map(|watch| watch.error);
        let Some(seen) = seen else {
            let waits_for = error.unwrap_or_else(|| "not listed yet".to_owned());
            return self.ready.wait_for(waits_for);
        };
        let found = match text(&seen.content) {
            Ok(text) => self.text.take(Ok(text.as_bytes())),
            Err(said) => self.text.take(Err(&said)),
        };
        match found {
            Reload::Unchanged => {}
            Reload::Refused(error) => self.refuse(&seen, &error.to_string()),
            Reload::Changed(file) => self.replace(&seen, &file),
        }
        told(&self.ready, self.used, error, self.refused.as_deref());
    }

    fn replace(&mut self, seen: &Seen, file: &FileConfig) {
        if let Err(error) = self.in_use.replace(file) {
            return self.refuse(seen, &error);
        }
        if self.used || self.refused.is_some() {
            let note = format!("cotter.yaml of resourceVersion {} is in use", seen.revision);
            self.events.send(&seen.about, USED, &note);
        }
        (self.used, self.refused) = (true, None);
        self.gate.turn_on();
    }

    fn refuse(&mut self, seen: &Seen, error: &str) {
        self.refused = Some(error.replace('\n', "; "));
        let what = match &seen.content {
            Content::Absent => "it is gone".to_owned(),
            _ => format!("resourceVersion {} is refused", seen.revision),
        };
        let then = if self.used {
            OLD
        } else {
            "nothing is answered until there is a good one"
        };
        self.in_use.refuse(error, then);
        let note = format!("{what}, {then}: {error}");
        self.events.send(&seen.about, REFUSED, &note);
    }
}

/// How the check stands with what the watch failed with and why the latest content is refused. Before any is in use,
/// that has to be mended first.
fn told(ready: &Handle, used: bool, error: Option<String>, refused: Option<&str>) {
    match (used, error, refused) {
        (true, Some(error), _) => ready.pass_with(error),
        (true, None, Some(refused)) => ready.pass_with(format!("{OLD}: {refused}")),
        (true, None, None) => ready.pass(),
        (false, _, Some(refused)) => ready.wait_for(refused.to_owned()),
        (false, Some(error), None) => ready.wait_for(error),
        (false, None, None) => {}
    }
}

fn text(content: &Content) -> Result<&str, String> {
    match content {
        Content::Text(text) => Ok(text),
        Content::Absent => Err(format!("is not there; create it with the key {KEY}")),
        Content::NoKey(keys) if keys.is_empty() => Err(format!(
            "is empty; put the configuration under the key {KEY}"
        )),
        Content::NoKey(keys) => Err(format!(
            "has no key {KEY}, only {}; put the configuration under {KEY}",
            keys.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_check_says_is_what_is_so_now() {
        let readiness = Readiness::default();
        let ready = readiness.check("config map");
        let line = |used, error: Option<&str>, refused| {
            told(&ready, used, error.map(str::to_owned), refused);
            readiness.checks().remove(0).to_string()
        };
        let refused = line(false, None, Some("no key"));
        assert_eq!(refused, "[-] config map: no key");
        assert_eq!(line(true, None, None), "[+] config map");
        assert_eq!(
            line(true, Some("gone"), Some("bad")),
            "[!] config map: gone"
        );
        // The API server is back, and the latest content is still refused.
        let after = line(true, None, Some("bad"));
        assert_eq!(after, format!("[!] config map: {OLD}: bad"));
    }
}
