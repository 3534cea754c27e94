//! Rules about the answer around the patch.

use super::{Answered, Rule, want};

pub const RULES: &[Rule] = &[
    ("every review is answered 200 (c207, c400 to c504)", |a| {
        want(a.reply.status == 200, || {
            format!("{} {}", a.reply.status, a.reply.text())
        })
    }),
    (
        "the content type is application/json (badct, pbct, yaml)",
        |a| {
            let found = a.reply.header("content-type");
            want(found == Some("application/json"), || format!("{found:?}"))
        },
    ),
    (
        "nothing to follow or to repeat (redir302, c503ra1, c500ra1ok)",
        |a| {
            let found =
                ["retry-after", "location", "content-encoding"].map(|name| a.reply.header(name));
            want(found == [None; 3], || format!("{found:?}"))
        },
    ),
    ("the body is one JSON object (empty, notjson)", |a| {
        want(a.answer.is_object(), || a.reply.text())
    }),
    ("a v1 AdmissionReview (wrongversion)", |a| {
        let review = (&a.answer["apiVersion"], &a.answer["kind"]);
        let v1 = *review.0 == "admission.k8s.io/v1" && *review.1 == "AdmissionReview";
        want(v1, || format!("{review:?}"))
    }),
    (
        "a response with the uid of the request (noresponse, caps)",
        |a| {
            let (wanted, found) = (&a.case.request()["uid"], &a.response()["uid"]);
            want(wanted == found, || format!("{found} for {wanted}"))
        },
    ),
    ("allowed is said (noallowed)", |a| {
        want(a.response()["allowed"].is_boolean(), || {
            a.response().to_string()
        })
    }),
    ("no other members, no other spelling (caps, echo)", members),
    (
        "a denial has code, reason and message (deny, denyreason)",
        |a| {
            let status = &a.response()["status"];
            if a.allowed() {
                return want(status.is_null(), || status.to_string());
            }
            let code = status["code"].as_u64().unwrap_or_default();
            let told = |member: &str| status[member].as_str().is_some_and(|text| !text.is_empty());
            let holds = (400..500).contains(&code) && told("reason") && told("message");
            want(holds, || status.to_string())
        },
    ),
    ("a denial has no patch", |a| {
        let patch = &a.response()["patch"];
        want(a.allowed() || patch.is_null(), || patch.to_string())
    }),
    ("only strict denies", |a| {
        want(a.allowed() || a.way == super::Way::Strict, || {
            a.response().to_string()
        })
    }),
    ("what is deleted, bound or evicted is never denied", |a| {
        let leaves = ["DELETE", "CONNECT", "MELT"]
            .iter()
            .any(|op| a.case.request()["operation"] == *op);
        let deleted = !a.case.object()["metadata"]["deletionTimestamp"].is_null();
        want(a.allowed() || !(leaves || deleted), || {
            a.response().to_string()
        })
    }),
];

fn members(a: &Answered) -> Result<(), String> {
    const KNOWN: [&str; 7] = [
        "uid",
        "allowed",
        "patch",
        "patchType",
        "status",
        "warnings",
        "auditAnnotations",
    ];
    let names = |value: &serde_json::Value| -> Vec<String> {
        let members = value.as_object().into_iter().flatten();
        members.map(|(name, _)| name.clone()).collect()
    };
    let outer = names(&a.answer);
    let inner = names(a.response());
    let holds = outer.len() == 3 && inner.iter().all(|name| KNOWN.contains(&name.as_str()));
    want(holds, || format!("{outer:?} {inner:?}"))
}
