//! The other half of the contract: rules that cotter's own answers keep, over many reviews and under three policies.

mod bad;
mod corpus;
mod envelope;
mod patching;
mod proof;
mod registry;
mod server;
mod telling;

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::support::http_client::Reply;
use corpus::Case;
use server::{Servers, WAYS, Way};

/// A rule, and what an answer does to break it.
pub type Rule = (&'static str, fn(&Answered) -> Result<(), String>);

/// A review and what cotter said.
pub struct Answered {
    pub case: Case,
    pub way: Way,
    pub reply: Reply,
    pub answer: Value,
}

pub fn trials() -> Vec<Trial> {
    let trial =
        |(name, rule): &'static Rule| Trial::test(format!("ours: {name}"), move || over_all(*rule));
    let rules = all_rules().map(trial);
    rules.chain(bad::trials()).chain(proof::trials()).collect()
}

fn all_rules() -> impl Iterator<Item = &'static Rule> {
    let tables = [envelope::RULES, patching::RULES, telling::RULES];
    tables.into_iter().flatten()
}

/// Checks a rule against every answer, and tells of all that break it.
fn over_all(rule: fn(&Answered) -> Result<(), String>) -> Result<(), Failed> {
    let broken = |answered: &Answered| {
        let why = rule(answered).err()?;
        Some(format!("{:?}, {}: {why}", answered.way, answered.case.name))
    };
    let broken: Vec<_> = answers().iter().filter_map(broken).collect();
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!("{} broken:\n{}", broken.len(), broken.join("\n")).into())
}

/// Every review is asked once under every policy.
fn answers() -> &'static [Answered] {
    static ANSWERS: OnceLock<Vec<Answered>> = OnceLock::new();
    ANSWERS.get_or_init(|| {
        let servers = Servers::get();
        let ask = |way: Way| {
            let answered = move |case: Case| {
                let reply = servers.of(way).review(&case.review);
                let answer = serde_json::from_slice(&reply.body).unwrap_or_default();
                Answered {
                    case,
                    way,
                    reply,
                    answer,
                }
            };
            corpus::all().into_iter().map(answered)
        };
        WAYS.into_iter().flat_map(ask).collect()
    })
}

impl Answered {
    pub fn response(&self) -> &Value {
        &self.answer["response"]
    }

    pub fn allowed(&self) -> bool {
        self.response()["allowed"] == true
    }

    /// The patch as it is sent, decoded; nothing where there is none.
    pub fn patch(&self) -> Option<Vec<u8>> {
        let text = self.response()["patch"].as_str()?;
        STANDARD.decode(text).ok()
    }

    /// The operations of the patch; none where there is no patch.
    pub fn operations(&self) -> Vec<Value> {
        let patch = self.patch().unwrap_or_default();
        serde_json::from_slice(&patch).unwrap_or_default()
    }

    /// The object after the patch, by the API server's rules.
    pub fn patched(&self) -> Result<Value, String> {
        let mut object = self.case.object().clone();
        if let Some(patch) = self.patch() {
            let applied = crate::evanphx::apply(&mut object, &patch);
            applied.map_err(|why| format!("{why:?}"))?;
        }
        Ok(object)
    }

    /// The same review of another object, answered anew.
    pub fn again(&self, object: &Value) -> Self {
        let mut review = self.case.review.clone();
        review["request"]["object"] = object.clone();
        self.asked(review)
    }

    /// The same review as a dry run, answered anew.
    pub fn dry(&self) -> Self {
        let mut review = self.case.review.clone();
        review["request"]["dryRun"] = json!(true);
        self.asked(review)
    }

    fn asked(&self, review: Value) -> Self {
        let reply = Servers::get().of(self.way).review(&review);
        let answer = serde_json::from_slice(&reply.body).unwrap_or_default();
        let case = Case {
            name: self.case.name.clone(),
            review,
        };
        Self {
            case,
            way: self.way,
            reply,
            answer,
        }
    }
}

/// `Ok` where it holds, else what was found.
pub fn want(holds: bool, found: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(found()) }
}
