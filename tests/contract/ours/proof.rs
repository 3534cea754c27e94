//! That the rules are rules: each of them refuses an answer that was broken for it, and the reviews bring every kind
//! of answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::registry::ALICE;
use super::{Answered, Case, Way, all_rules, answers};
use crate::support::http_client::Reply;

/// The beginning of a rule's name, the review whose answer is broken, and how.
type Proof = (&'static str, &'static str, fn(&mut Answered));

const TAG: &str = "CREATE a tag";
const DELETE: &str = "DELETE pods: a Pod";

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("ours: every kind of answer is among them", every_kind),
        Trial::test("ours: every rule refuses what breaks it", every_rule),
    ]
}

fn every_rule() -> Result<(), Failed> {
    let proofs: Vec<_> = ENVELOPE.iter().chain(PATCHING).chain(TELLING).collect();
    for (rule, _) in all_rules() {
        if !proofs.iter().any(|(name, ..)| rule.starts_with(name)) {
            return Err(format!("no proof for {rule:?}").into());
        }
    }
    for (name, case, breaks) in proofs {
        let (rule, check) = all_rules()
            .find(|(rule, _)| rule.starts_with(name))
            .expect("a rule");
        let way = if *rule == "audit patches nothing" {
            Way::Audit
        } else {
            Way::Enforce
        };
        let mut answered = copy(case, way);
        check(&answered)?;
        breaks(&mut answered);
        if check(&answered).is_ok() {
            return Err(format!("{rule:?} takes {}", answered.answer).into());
        }
    }
    Ok(())
}

fn copy(case: &str, way: Way) -> Answered {
    let same = |a: &&Answered| a.case.name == case && a.way == way;
    let found = answers().iter().find(same).expect("a review");
    Answered {
        case: Case {
            name: found.case.name.clone(),
            review: found.case.review.clone(),
        },
        way,
        reply: Reply {
            status: found.reply.status,
            headers: found.reply.headers.clone(),
            body: found.reply.body.clone(),
        },
        answer: found.answer.clone(),
    }
}

fn set(a: &mut Answered, member: &str, value: Value) {
    a.answer["response"][member] = value;
}

fn patch(a: &mut Answered, operations: &Value) {
    set(a, "patchType", json!("JSONPatch"));
    set(a, "patch", json!(STANDARD.encode(operations.to_string())));
}

fn operate(a: &mut Answered, op: &str, path: &str, value: Value) {
    patch(a, &json!([{"op": op, "path": path, "value": value}]));
}

fn image(a: &mut Answered, text: &str) {
    operate(a, "replace", "/spec/containers/0/image", json!(text));
}

fn deny(a: &mut Answered, status: Value) {
    set(a, "allowed", json!(false));
    set(a, "status", status);
}

const ENVELOPE: &[Proof] = &[
    ("every review is answered", TAG, |a| a.reply.status = 503),
    ("the content type", TAG, |a| a.reply.headers.clear()),
    ("nothing to follow", TAG, |a| {
        a.reply
            .headers
            .push(("retry-after".to_owned(), "1".to_owned()));
    }),
    ("the body is one JSON object", TAG, |a| {
        a.answer = Value::Null;
    }),
    ("a v1 AdmissionReview", TAG, |a| {
        a.answer["apiVersion"] = json!("admission.k8s.io/v1beta1");
    }),
    ("a response with the uid", TAG, |a| {
        set(a, "uid", json!("other"));
    }),
    ("allowed is said", TAG, |a| set(a, "allowed", Value::Null)),
    ("no other members", TAG, |a| set(a, "UID", json!(""))),
    ("a denial has code", TAG, |a| {
        deny(a, json!({"code": 200, "reason": "r", "message": "m"}));
    }),
    ("a denial has no patch", TAG, |a| deny(a, Value::Null)),
    ("only strict denies", TAG, |a| deny(a, Value::Null)),
    ("what is deleted, bound", DELETE, |a| deny(a, Value::Null)),
];

const PATCHING: &[Proof] = &[
    ("patch and patchType", TAG, |a| {
        set(a, "patchType", Value::Null);
    }),
    ("patch and patchType", TAG, |a| {
        set(a, "patchType", json!(""));
    }),
    ("patch and patchType", TAG, |a| set(a, "patch", Value::Null)),
    ("the patch is base64", TAG, |a| set(a, "patch", json!(""))),
    ("the patch is base64", TAG, |a| {
        set(a, "patch", json!("Z2FyYmFnZQ=="));
    }),
    ("the patch is base64", TAG, |a| patch(a, &json!([]))),
    ("every operation is", TAG, |a| {
        operate(a, "bogus", "/spec", json!(1));
    }),
    ("every operation is", TAG, |a| {
        patch(a, &json!([{"op": "add", "path": "/spec/x"}]));
    }),
    ("the patch applies by RFC", TAG, |a| {
        operate(a, "replace", "/spec/nodeName", json!("n"));
    }),
    ("the patch applies by RFC", TAG, |a| {
        operate(a, "replace", "/spec/containers/-1/image", json!("x"));
    }),
    ("the patch applies as", TAG, |a| {
        operate(a, "add", "/spec/imagePullSecrets/-", json!({"name": "r"}));
    }),
    ("the patch applies as", TAG, |a| {
        operate(a, "remove", "/spec/nodeName", Value::Null);
    }),
    ("only slots", TAG, |a| {
        operate(a, "add", "/metadata/namespace", json!("other"));
    }),
    ("only slots", TAG, |a| {
        operate(a, "add", "/status/phase", json!("Running"));
    }),
    ("all else stays", "CREATE annotations", |a| {
        operate(a, "add", "/metadata/annotations", json!({}));
    }),
    ("all else stays", "CREATE another pull secret", |a| {
        operate(a, "add", "/spec/imagePullSecrets", json!([{"name": "r"}]));
    }),
    ("lists stay lists", TAG, |a| {
        operate(a, "add", "/spec/imagePullSecrets", json!("text"));
    }),
    ("a written image", TAG, |a| image(a, "Bad Image::")),
    ("a written image", TAG, |a| image(a, "")),
    ("no pull secret twice", TAG, |a| {
        operate(
            a,
            "add",
            "/spec/imagePullSecrets",
            json!([{"name": "d"}, {"name": "d"}]),
        );
    }),
    ("no pull secret twice", "CREATE another pull secret", |a| {
        operate(
            a,
            "add",
            "/spec/imagePullSecrets/-",
            json!({"name": "elsewhere"}),
        );
    }),
    (
        "pull secrets are added on CREATE",
        "UPDATE pods: a label",
        |a| {
            operate(a, "add", "/spec/imagePullSecrets", json!([{"name": "r"}]));
        },
    ),
    ("on UPDATE only images", "UPDATE pods: a label", |a| {
        image(a, "x");
    }),
    (
        "of ephemeral containers",
        "UPDATE pods/ephemeralcontainers: the first",
        |a| image(a, "x"),
    ),
    (
        "of ephemeral containers",
        "UPDATE pods/ephemeralcontainers: a second, in front",
        |a| {
            operate(
                a,
                "replace",
                "/spec/ephemeralContainers/1/image",
                json!("x"),
            );
        },
    ),
    ("nothing is patched on DELETE", DELETE, |a| image(a, "x")),
    ("nothing but Pods", "CREATE deployments: a tag", |a| {
        patch(a, &json!([]));
    }),
    (
        "status and resources",
        "UPDATE pods/resize: an image",
        |a| image(a, "x"),
    ),
    ("what is left alone", "CREATE a mirror Pod", |a| {
        image(a, "x");
    }),
    ("audit patches nothing", TAG, |a| image(a, "x")),
    ("a second review", TAG, |a| {
        let other = a.case.object()["spec"]["containers"][0]["image"]
            .as_str()
            .expect("text");
        let other = other.replace(":dev", ":other");
        image(a, &other);
    }),
    ("a dry run", TAG, |a| image(a, "x")),
];

const TELLING: &[Proof] = &[
    ("at most ten", TAG, |a| {
        set(
            a,
            "warnings",
            (0..11).map(|n| json!(n.to_string())).collect(),
        );
    }),
    ("a warning is one to 200", TAG, |a| {
        set(a, "warnings", json!(["x".repeat(201)]));
    }),
    ("a warning is one to 200", TAG, |a| {
        set(a, "warnings", json!([""]));
    }),
    ("a warning is printable", TAG, |a| {
        set(a, "warnings", json!(["new\nline"]));
    }),
    ("a warning is printable", TAG, |a| {
        set(a, "warnings", json!(["\u{202e}"]));
    }),
    ("no warning twice", TAG, |a| {
        set(a, "warnings", json!(["short", "short"]));
    }),
    ("warnings are a list", TAG, |a| {
        set(a, "warnings", json!("short"));
    }),
    ("nothing is put in the status", TAG, |a| {
        set(a, "status", json!({"message": "m"}));
    }),
    ("audit annotations", TAG, |a| {
        set(a, "auditAnnotations", json!({"has/slash": "v"}));
    }),
    ("audit annotations", TAG, |a| {
        set(a, "auditAnnotations", json!({"-bad": "v"}));
    }),
    ("audit annotations", TAG, |a| {
        set(a, "auditAnnotations", json!({"k".repeat(64): "v"}));
    }),
    ("no credential is told", TAG, |a| {
        a.reply.body.extend(ALICE.1.as_bytes());
    }),
    ("a denial's message", TAG, |a| {
        deny(a, json!({"message": "two\nlines"}));
    }),
];

/// A kind of answer, and which are of it.
type Kind = (&'static str, fn(&Answered) -> bool);

fn has(a: &Answered, op: &str, start: &str) -> bool {
    let starts = |o: &Value| {
        o["path"]
            .as_str()
            .is_some_and(|path| path.starts_with(start))
    };
    let operations = a.operations();
    operations.iter().any(|o| o["op"] == op && starts(o))
}

fn replaces(a: &Answered, slot: &str) -> bool {
    has(a, "replace", &format!("/spec/{slot}"))
}

// Without each of these some rule would hold of nothing.
const KINDS: &[Kind] = &[
    ("a container's image", |a| replaces(a, "containers/0/image")),
    ("an init container's", |a| {
        replaces(a, "initContainers/0/image")
    }),
    ("an ephemeral container's", |a| {
        replaces(a, "ephemeralContainers/0/image")
    }),
    ("an image volume's", |a| {
        replaces(a, "volumes/1/image/reference")
    }),
    ("the first pull secret", |a| {
        a.operations()
            .iter()
            .any(|o| o["path"] == "/spec/imagePullSecrets")
    }),
    ("one more pull secret", |a| {
        has(a, "add", "/spec/imagePullSecrets/-")
    }),
    ("the first annotation", |a| {
        a.operations()
            .iter()
            .any(|o| o["path"] == "/metadata/annotations")
    }),
    ("one more annotation", |a| {
        has(a, "add", "/metadata/annotations/cotter.dev~1images")
    }),
    ("an annotation less", |a| {
        has(a, "remove", "/metadata/annotations/cotter.dev~1")
    }),
    ("a label less", |a| {
        has(a, "remove", "/metadata/labels/cotter.dev~1pinned")
    }),
    ("a patch on UPDATE", |a| {
        a.case.is("UPDATE", "") && a.patch().is_some()
    }),
    ("a denial", |a| !a.allowed()),
    ("ten warnings", |a| a.response()["warnings"][9].is_string()),
    ("audit annotations", |a| {
        a.response()["auditAnnotations"].is_object()
    }),
];

fn every_kind() -> Result<(), Failed> {
    let missing = |(name, is): &Kind| (!answers().iter().any(is)).then_some(*name);
    let missing: Vec<_> = KINDS.iter().filter_map(missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(missing.join("; ").into())
}
