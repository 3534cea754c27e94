//! The answers of the scripted webhook: its path names one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::patches;
use crate::scripted::{Answer, Call};

// What the rows write in place of a tag.
pub const PINNED: &str = "docker.io/library/nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const PINNED_VOLUME: &str =
    "docker.io/library/x@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// The answer to a call, of whose kind there have been `before` others.
pub fn to(call: &Call, before: usize) -> Answer {
    let uid = &call.request()["uid"];
    let path = call.path.as_str();
    transported(path, uid, before)
        .or_else(|| warned(path, uid))
        .or_else(|| decided(path, uid, &call.review))
        .or_else(|| Some(patched(uid, &operations(path)?)))
        .unwrap_or_else(|| Answer::body("text/plain", "no such script").status(404))
}

fn allowed(uid: &Value) -> Value {
    json!({"uid": uid, "allowed": true})
}

fn with(uid: &Value, members: Value) -> Answer {
    let mut response = allowed(uid);
    let Value::Object(members) = members else {
        panic!("members")
    };
    response.as_object_mut().expect("an object").extend(members);
    Answer::response(&response)
}

fn encoded(operations: &Value) -> String {
    STANDARD.encode(operations.to_string())
}

fn patched(uid: &Value, operations: &Value) -> Answer {
    let members = json!({"patchType": "JSONPatch", "patch": encoded(operations)});
    with(uid, members)
}

fn operation(op: &str, path: &str, value: Value) -> Value {
    json!([{"op": op, "path": path, "value": value}])
}

/// JSON patches that are decodable.
fn operations(path: &str) -> Option<Value> {
    const IMAGE: &str = "/spec/containers/0/image";
    const SECRETS: &str = "/spec/imagePullSecrets";
    let injected = json!([{"name": "injected"}]);
    Some(match path {
        "/patch-emptylist" => json!([]),
        "/patch-failtest" => operation("test", IMAGE, json!("other")),
        "/patch-badtype" => operation("add", SECRETS, json!("text")),
        "/patch-status" => operation("add", "/status", json!({"phase": "Running"})),
        "/patch-ns" => operation("add", "/metadata/namespace", json!("other")),
        "/patch-badimage" => operation("replace", IMAGE, json!("Bad Image::")),
        "/patch-emptyimage" => operation("replace", IMAGE, json!("")),
        "/ipsappend" => operation("add", &format!("{SECRETS}/-"), json!({"name": "r"})),
        "/ipsdup" => operation("add", SECRETS, json!([{"name": "d"}, {"name": "d"}])),
        "/ips" => operation("add", SECRETS, injected),
        "/img" => operation("replace", IMAGE, json!(PINNED)),
        "/eph" => operation(
            "replace",
            "/spec/ephemeralContainers/0/image",
            json!("mutated/eph:1"),
        ),
        "/vol" => operation(
            "replace",
            "/spec/volumes/0/image/reference",
            json!(PINNED_VOLUME),
        ),
        "/template" => operation(
            "replace",
            "/spec/template/spec/containers/0/image",
            json!(PINNED),
        ),
        _ => return None,
    })
}

/// Rows about HTTP.
fn transported(path: &str, uid: &Value, before: usize) -> Option<Answer> {
    let allow = Answer::response(&allowed(uid));
    let boom = |status| Answer::body("text/plain", "boom").status(status);
    Some(match path {
        "/ok" | "/c500ra1ok" if before > 0 || path == "/ok" => allow,
        "/empty" => Answer::body("application/json", ""),
        "/notjson" => Answer::body("application/json", "hello"),
        "/badct" => Answer::body("application/json; charset", allow.body),
        "/pbct" => Answer::body("application/vnd.kubernetes.protobuf", allow.body),
        "/yaml" => Answer::body("application/yaml", yaml(uid)),
        "/c206" => allow.status(206),
        "/c207" => allow.status(207),
        "/c400" => boom(400),
        "/c403" => boom(403),
        "/c404" => boom(404),
        "/c413" => boom(413),
        "/c500" => boom(500),
        "/c503" => boom(503),
        "/c504" => boom(504),
        "/c503ra1" => boom(503).header("retry-after", "1"),
        "/c500ra1ok" => boom(500).header("retry-after", "1"),
        // The GET that follows has no review, and so the answer no uid.
        "/redir302" => Answer::body("text/plain", "")
            .status(302)
            .header("location", "/blank"),
        "/blank" => Answer::response(&json!({"uid": "", "allowed": true})),
        "/sleep4" => allow.after(4),
        "/sleep7" => allow.after(7),
        _ if path.starts_with("/sleep9") => allow.after(9),
        "/gzip" => {
            Answer::body("application/json", gzip(&allow.body)).header("content-encoding", "gzip")
        }
        _ => {
            return path
                .strip_prefix("/mib")
                .map(|size| allow.padded(size.parse::<usize>().expect("MiB") << 20));
        }
    })
}

/// Rows about warnings and audit annotations.
fn warned(path: &str, uid: &Value) -> Option<Answer> {
    let many = |count: usize, length: usize, letter: &str| -> Vec<String> {
        let line = |n| format!("{n:02}{}", letter.repeat(length - 2));
        (0..count).map(line).collect()
    };
    let warnings = match path {
        "/warn" => json!(["short", "short", "x".repeat(300), ""]),
        "/warnbig" => json!(many(20, 300, "y")),
        "/warn4096" => json!(many(16, 256, "z")),
        "/warnctl" => json!(["new\nline", "a\ttab", "uni\u{e9}", "quote\"back\\"]),
        "/sentinel" => json!(["sentinel"]),
        "/audit" => return Some(with(uid, json!({"auditAnnotations": annotations()}))),
        _ => return None,
    };
    Some(with(uid, json!({"warnings": warnings})))
}

fn annotations() -> Value {
    json!({"good": "g", "has/slash": "s", "-bad": "b", "k".repeat(64): "long", "ok_Key.1": "o", "big": "v".repeat(5000)})
}

/// Rows about the members of a review.
fn decided(path: &str, uid: &Value, review: &Value) -> Option<Answer> {
    let image = encoded(&operation(
        "replace",
        "/spec/containers/0/image",
        json!("x"),
    ));
    let denied =
        |status: Value| Answer::response(&json!({"uid": uid, "allowed": false, "status": status}));
    let v1beta1 = |response: Value| {
        Answer::review(
            &json!({"apiVersion": "admission.k8s.io/v1beta1", "kind": "AdmissionReview", "response": response}),
        )
    };
    let of_row = |row| {
        with(
            uid,
            json!({"patchType": "JSONPatch", "patch": patches::encoded(row)}),
        )
    };
    Some(match path {
        "/pt-nopatch" => with(uid, json!({"patchType": "JSONPatch"})),
        "/patch-nopt" => with(uid, json!({"patch": image})),
        "/pt-empty" => with(uid, json!({"patchType": "", "patch": image})),
        "/patch-emptystr" => with(uid, json!({"patchType": "JSONPatch", "patch": ""})),
        "/patch-null" => with(uid, json!({"patchType": null, "patch": null})),
        "/patch-garbage" => with(
            uid,
            json!({"patchType": "JSONPatch", "patch": STANDARD.encode("garbage")}),
        ),
        "/wrongversion" | "/beta-ok" => v1beta1(allowed(uid)),
        "/beta-uid" => v1beta1(json!({"uid": "wrong", "allowed": true})),
        "/beta-patch" => v1beta1(json!({"uid": uid, "allowed": true, "patch": image})),
        "/noresponse" => {
            Answer::review(&json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}))
        }
        "/noallowed" => Answer::response(&json!({"uid": uid})),
        "/echo" => {
            let mut review = review.clone();
            review["response"] = allowed(uid);
            Answer::review(&review)
        }
        "/caps" => Answer::response(&json!({"UID": uid, "Allowed": true})),
        "/deny" => denied(json!({"code": 422, "reason": "Invalid", "message": "bad image"})),
        "/denyreason" => denied(json!({"reason": "Why"})),
        "/allowstatus" => with(uid, json!({"status": {"message": "not shown"}})),
        _ => return path.strip_prefix("/jsonpatch").map(of_row),
    })
}

fn yaml(uid: &Value) -> String {
    format!(
        "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\nresponse:\n  uid: {uid}\n  allowed: true\n"
    )
}

/// One stored block (RFC 1951 §3.2.4) in a gzip member (RFC 1952 §2.3).
fn gzip(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).expect("one block");
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    member.extend(length.to_le_bytes());
    member.extend((!length).to_le_bytes());
    member.extend(data);
    member.extend(crc32(data).to_le_bytes());
    member.extend(u32::from(length).to_le_bytes());
    member
}

/// RFC 1952 §8.
fn crc32(data: &[u8]) -> u32 {
    let bit = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1));
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), bit);
    !data.iter().fold(!0, byte)
}
