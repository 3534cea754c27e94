//! What was observed, in the words of the rows, and the comparison.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::scripted::Call;
use crate::site::{Lab, Made, Site};

// Messages were recorded up to here: those of hook rows, those of case rows.
const CUT: [usize; 2] = [240, 400];
// Names, uids and managed fields differ between runs.
const SIZE_SLACK: u64 = 4_000;
const TIME_SLACK: f64 = 0.5;

#[derive(Default)]
pub struct Seen(Map<String, Value>);

impl Seen {
    /// What the last request of a site brought, and which calls it took.
    pub fn of(site: &Site, made: &Made) -> Self {
        Self::default()
            .answered(site, made)
            .called(site, &site.calls())
    }

    pub fn with(mut self, fact: &str, value: impl Into<Value>) -> Self {
        self.0.insert(fact.to_owned(), value.into());
        self
    }

    /// Writes `<pod>` for the Pod's name.
    pub fn named(self, pod: &str) -> Self {
        let message = self.0["message"].as_str().unwrap_or_default();
        let message = message.replace(&format!("\"{pod}\""), "\"<pod>\"");
        self.with("message", message)
    }

    fn answered(self, site: &Site, made: &Made) -> Self {
        let (object, spec) = (&made.object, &made.object["spec"]);
        let workload = &spec["template"]["spec"]["containers"][0]["image"];
        let own = &spec["containers"][0]["image"];
        let message = object["message"].as_str().unwrap_or_default();
        let volumes = spec["volumes"].as_array().into_iter().flatten();
        let volumes: Vec<_> = volumes.filter(|volume| volume["name"] == "v").collect();
        self.with("http", made.status)
            .with("ok", made.status == 201)
            .with("reason", object["reason"].clone())
            .with("message", normal(site, message))
            .with("seconds", made.elapsed.as_secs_f64())
            .with("image", if own.is_null() { workload } else { own }.clone())
            .with("ips", spec["imagePullSecrets"].clone())
            .with("policy", spec["containers"][0]["imagePullPolicy"].clone())
            .with("vol", json!(volumes))
            .with("eph", each(&spec["ephemeralContainers"], "image"))
            .with("generation", object["metadata"]["generation"].clone())
            .with("nwarn", made.warnings.len())
            .with(
                "warnings",
                json!(made.warnings.iter().map(|w| brief(w)).collect::<Vec<_>>()),
            )
    }

    /// Replaces what is known of the calls.
    pub fn called(self, site: &Site, calls: &[Call]) -> Self {
        let list = |fact: &dyn Fn(&Call) -> Value| calls.iter().map(fact).collect::<Value>();
        let peers: BTreeSet<_> = calls.iter().map(|call| call.peer).collect();
        let query = calls.first().map(|call| call.query.as_str());
        let message = self.0["message"].as_str().unwrap_or_default().to_owned();
        let uids = calls
            .iter()
            .filter_map(|call| call.request()["uid"].as_str());
        let message = uids.fold(message, |text, uid| text.replace(uid, "<uid>"));
        self.with("message", message)
            .with("calls", calls.len())
            .with("conns", peers.len())
            .with("query", query)
            .with("queries", list(&|call| json!(call.query)))
            .with("sizes", list(&|call| json!(call.size)))
            .with("op", list(&|call| call.request()["operation"].clone()))
            .with("opts", list(&|call| call.request()["options"].clone()))
            .with("review_seen", list(&|call| review(site, call)))
    }

    /// Compares every fact that a row states.
    pub fn check(&self, expected: &Value) {
        let expected = expected.as_object().expect("facts");
        let wrong: Vec<_> = expected
            .iter()
            .filter_map(|(fact, wanted)| self.differs(fact, wanted))
            .collect();
        assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    }

    fn differs(&self, fact: &str, wanted: &Value) -> Option<String> {
        let Some(found) = self.0.get(fact) else {
            return Some(format!("{fact}: not observed"));
        };
        let holds = match fact {
            "message" => same_message(wanted.as_str()?, found.as_str()?),
            // Not recorded.
            "reason" if wanted.is_null() => true,
            "seconds" => found.as_f64()? >= wanted.as_f64()? - TIME_SLACK,
            "sizes" => wanted[0].as_u64()?.abs_diff(found[0].as_u64()?) <= SIZE_SLACK,
            // How many connections a burst takes is a matter of moments; more than one, and no more than calls.
            "conns" => (2..=self.0["calls"].as_u64()?).contains(&found.as_u64()?),
            // The first three were recorded.
            "warnings" => found.as_array()?.iter().take(3).eq(wanted.as_array()?),
            "review_seen" => anonymous(wanted) == anonymous(found),
            _ => wanted == found,
        };
        (!holds).then(|| format!("{fact}:\n  wanted {wanted}\n  found  {found}"))
    }
}

/// The text as it would read on the machine where the rows were recorded.
fn normal(site: &Site, message: &str) -> String {
    let lab = &Lab::get().scripted;
    message
        .replace(&site.name, "default")
        .replace(&lab.host(), "127.0.0.1:9443")
        .replace(&lab.nameless_host(), "127.0.0.1:9444")
}

fn same_message(wanted: &str, found: &str) -> bool {
    // A diff's line numbers count fields of the whole object.
    let plain = |text: &str| match text.split_once("\n@@") {
        Some((before, diff)) => {
            let diff = diff.split_once("@@").map_or("", |(_, lines)| lines);
            format!("{before}{diff}")
        }
        None => text.to_owned(),
    };
    let (short, long) = (plain(wanted), plain(found));
    if CUT.contains(&wanted.chars().count()) {
        return long.starts_with(&short);
    }
    short == long
}

/// `len 13: 299 - "short"`, as they were recorded: bytes, read as Latin-1, 24 of them.
fn brief(warning: &str) -> String {
    let start: String = warning.bytes().take(24).map(char::from).collect();
    format!("len {}: {start}", warning.len())
}

fn each(list: &Value, member: &str) -> Value {
    let list = list.as_array().into_iter().flatten();
    list.map(|element| element[member].clone()).collect()
}

/// A review in the words of the rows.
fn review(site: &Site, call: &Call) -> Value {
    let request = call.request();
    let object = &request["object"];
    let mut metadata = object["metadata"].clone();
    if let Some(members) = metadata.as_object_mut() {
        members.remove("managedFields");
    }
    let images = if object.is_null() {
        Value::Null
    } else {
        each(&object["spec"]["containers"], "image")
    };
    let seen = json!({
        "query": call.query, "op": request["operation"], "kind": request["kind"], "resource": request["resource"],
        "sub": request["subResource"], "name": request["name"], "ns": request["namespace"],
        "dryRun": request["dryRun"], "options": request["options"],
        "hasObject": !object.is_null(), "hasOld": !request["oldObject"].is_null(),
        "apiVersion": call.review["apiVersion"],
        "objMeta": if metadata.is_null() { json!({}) } else { metadata },
        "ips": object["spec"]["imagePullSecrets"], "images": images,
    });
    let text = seen
        .to_string()
        .replace(&format!("\"{}\"", site.name), "\"default\"");
    serde_json::from_str(&text).expect("JSON")
}

/// Without what every object has for itself.
fn anonymous(reviews: &Value) -> Value {
    let mut reviews = reviews.clone();
    for review in reviews.as_array_mut().into_iter().flatten() {
        for own in ["uid", "resourceVersion", "creationTimestamp"] {
            if let Some(value) = review["objMeta"].get_mut(own) {
                *value = json!("<own>");
            }
        }
    }
    reviews
}
