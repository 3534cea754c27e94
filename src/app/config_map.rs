//! `cotter.yaml` in a `ConfigMap`: in use within seconds, or refused where its owner sees it.

use std::collections::BTreeMap;

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
    watches::Missing,
};

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
    /// Whether its owner was told that the latest is not.
    refused: bool,
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
        refused: false,
    })
}

// === impl Mapped ===

impl Mapped {
    /// Follows it for ever.
    pub(super) async fn follow(mut self) {
        let mut status = self.map.watches.subscribe();
        let mut told = BTreeMap::new();
        loop {
            self.look();
            self.missing.tell(&status.borrow_and_update(), &mut told);
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
        match error {
            Some(error) if self.used => self.ready.pass_with(error),
            None if self.used && !self.refused => self.ready.pass(),
            _ => {}
        }
    }

    fn replace(&mut self, seen: &Seen, file: &FileConfig) {
        if let Err(error) = self.in_use.replace(file) {
            return self.refuse(seen, &error);
        }
        if self.used || self.refused {
            let note = format!("cotter.yaml of resourceVersion {} is in use", seen.revision);
            self.events.send(&seen.about, USED, &note);
        }
        (self.used, self.refused) = (true, false);
        self.gate.turn_on();
        self.ready.pass();
    }

    fn refuse(&mut self, seen: &Seen, error: &str) {
        self.refused = true;
        let what = match &seen.content {
            Content::Absent => "it is gone".to_owned(),
            _ => format!("resourceVersion {} is refused", seen.revision),
        };
        let then = if self.used {
            "the configuration before stays in use"
        } else {
            "nothing is answered until there is a good one"
        };
        self.in_use.refuse(error, then);
        let note = format!("{what}, {then}: {error}");
        self.events.send(&seen.about, REFUSED, &note);
        let line = error.replace('\n', "; ");
        if self.used {
            self.ready.pass_with(format!("{then}: {line}"));
        } else {
            self.ready.wait_for(line);
        }
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
