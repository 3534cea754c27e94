//! Requests that are no reviews: a 4xx with one clear line, and the next review is answered.

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::server::{Servers, Way};
use crate::support::http_client::Reply;

struct Bad {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    body: Vec<u8>,
}

pub fn trials() -> Vec<Trial> {
    let trial = |bad: Bad| Trial::test(format!("ours: refused: {}", bad.name), move || bad.check());
    all().into_iter().map(trial).collect()
}

fn post(name: &'static str, body: impl Into<Vec<u8>>) -> Bad {
    Bad {
        name,
        method: "POST",
        path: "/mutate?timeout=10s",
        body: body.into(),
    }
}

fn review() -> Value {
    let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "1", "kind": kind,
        "operation": "CREATE", "namespace": "shop", "object": {"metadata": {"name": "a"}, "spec": {"containers": []}}}})
}

fn changed(name: &'static str, pointer: &str, value: Value) -> Bad {
    let mut review = review();
    *review.pointer_mut(pointer).expect("a member") = value;
    post(name, review.to_string())
}

fn elsewhere(name: &'static str, method: &'static str, path: &'static str) -> Bad {
    Bad {
        method,
        path,
        ..post(name, review().to_string())
    }
}

fn all() -> Vec<Bad> {
    let text = review().to_string();
    let object = "/request/object";
    vec![
        post("an empty body", ""),
        post("no JSON", "hello"),
        post(
            "YAML",
            "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n",
        ),
        post("null", "null"),
        post("a list", "[]"),
        post("an empty object", "{}"),
        post("a number", "7"),
        post("half a review", &text.as_bytes()[..text.len() / 2]),
        post("a review and more", format!("{text}{text}")),
        post("bytes that are no text", [0xff, 0xfe, 0x00, 0x7b]),
        post(
            "text that is no UTF-8",
            [text.as_bytes(), &[0xc3, 0x28]].concat(),
        ),
        post("ten thousand brackets", "[".repeat(10_000)),
        post("ten thousand objects", "{\"request\":".repeat(10_000)),
        post(
            "ten thousand brackets in the Pod",
            text.replace(
                "\"containers\":[]",
                &format!("\"x\":{}", "[".repeat(10_000)),
            ),
        ),
        changed("no request", "/request", Value::Null),
        changed("a request that is a text", "/request", json!("text")),
        changed("an empty uid", "/request/uid", json!("")),
        changed("a uid that is a number", "/request/uid", json!(7)),
        changed("v1beta1", "/apiVersion", json!("admission.k8s.io/v1beta1")),
        changed("v2", "/apiVersion", json!("admission.k8s.io/v2")),
        changed("another kind", "/kind", json!("Pod")),
        changed("a Pod that is a text", object, json!("text")),
        changed(
            "containers that are a text",
            "/request/object/spec/containers",
            json!("none"),
        ),
        changed(
            "containers that are texts",
            "/request/object/spec/containers",
            json!(["a"]),
        ),
        changed(
            "an image that is a number",
            "/request/object/spec/containers",
            json!([{"image": 7}]),
        ),
        elsewhere("GET", "GET", "/mutate"),
        elsewhere("PUT", "PUT", "/mutate"),
        elsewhere("another path", "POST", "/"),
        elsewhere("a slash too many", "POST", "/mutate/"),
        elsewhere("capitals in the path", "POST", "/Mutate"),
        elsewhere("two slashes", "POST", "//mutate"),
    ]
}

impl Bad {
    fn check(&self) -> Result<(), Failed> {
        let cotter = Servers::get().of(Way::Enforce);
        let headers = [("Content-Type", "application/json")];
        let reply = cotter.send(self.method, self.path, &headers, &self.body);
        refused(&reply)?;
        let next = cotter.review(&review());
        if next.status != 200 {
            return Err(format!("and then: {} {}", next.status, next.text()).into());
        }
        Ok(())
    }
}

fn refused(reply: &Reply) -> Result<(), Failed> {
    let text = reply.text();
    let repeated = ["retry-after", "location"].map(|name| reply.header(name));
    let line = text.trim_end_matches('\n');
    let one_line =
        !line.is_empty() && !line.contains(char::is_control) && line.chars().count() <= 300;
    let plain = reply
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/plain"));
    if (400..500).contains(&reply.status) && repeated == [None; 2] && one_line && plain {
        return Ok(());
    }
    Err(format!("{} {:?}: {text:?}", reply.status, reply.headers).into())
}
