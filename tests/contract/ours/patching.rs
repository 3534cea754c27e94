//! Rules about the patch.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Answered, Rule, Way, want};

pub const RULES: &[Rule] = &[
    (
        "patch and patchType, both or neither (pt-nopatch, patch-nopt, pt-empty, patch-null)",
        |a| {
            let (patch, kind) = (&a.response()["patch"], &a.response()["patchType"]);
            let neither = patch.is_null() && kind.is_null();
            want(
                neither || (patch.is_string() && *kind == "JSONPatch"),
                || format!("{kind} {patch}"),
            )
        },
    ),
    (
        "the patch is base64 of a list of operations (patch-emptystr, patch-emptylist, patch-garbage)",
        decodes,
    ),
    (
        "every operation is add, replace or remove with what it needs (jsonpatch: unknown op, add without value)",
        operations,
    ),
    (
        "the patch applies by RFC 6902 (patch-failtest, ipsappend)",
        rfc6902,
    ),
    (
        "the patch applies as the API server applies it (jsonpatch)",
        |a| a.patched().map(drop),
    ),
    (
        "only slots, pull secrets and cotter's own metadata are touched (patch-ns, patch-status)",
        touched,
    ),
    (
        "all else stays as it was (add on existing member REPLACES it)",
        untouched,
    ),
    ("lists stay lists of objects (patch-badtype)", types),
    (
        "a written image is a reference with a digest (patch-badimage, patch-emptyimage)",
        images,
    ),
    ("no pull secret twice (ipsdup)", secrets),
    (
        "pull secrets are added on CREATE alone (UPDATE gated pod, ephemeralcontainers, resize)",
        |a| {
            let added = a
                .operations()
                .iter()
                .any(|o| path(o).contains("imagePullSecrets"));
            want(!added || a.case.is("CREATE", ""), || {
                format!("{:?}", a.operations())
            })
        },
    ),
    (
        "on UPDATE only images that changed are written (UPDATE label only)",
        changed,
    ),
    (
        "of ephemeral containers only new ones are written (strategic merge patch)",
        ephemeral,
    ),
    (
        "nothing is patched on DELETE (DELETE + webhook patch)",
        |a| {
            let kept = ["CREATE", "UPDATE"]
                .iter()
                .any(|op| a.case.request()["operation"] == *op);
            want(kept || a.patch().is_none(), || a.response().to_string())
        },
    ),
    ("nothing but Pods is patched", |a| {
        let group = a.case.request()["kind"]["group"] == "";
        want(a.patch().is_none() || (a.case.is_pod() && group), || {
            a.response().to_string()
        })
    }),
    (
        "status and resources of Pods are left alone (pods/status, resize)",
        |a| {
            let left = ["status", "resize"]
                .iter()
                .any(|sub| a.case.request()["subResource"] == *sub);
            want(!left || a.patch().is_none(), || a.response().to_string())
        },
    ),
    (
        "what is left alone is not patched (mirror pod create)",
        |a| {
            let metadata = &a.case.object()["metadata"];
            let mirror = &metadata["annotations"]["kubernetes.io/config.mirror"];
            let left = !mirror.is_null() || !metadata["deletionTimestamp"].is_null();
            want(!left || a.patch().is_none(), || a.response().to_string())
        },
    ),
    ("audit patches nothing", |a| {
        want(a.way != Way::Audit || a.patch().is_none(), || {
            a.response().to_string()
        })
    }),
    (
        "a second review of the patched object patches nothing (IfNeeded)",
        |a| {
            let Some(_) = a.patch() else { return Ok(()) };
            let again = a.again(&a.patched()?);
            want(again.allowed() && again.patch().is_none(), || {
                format!("{:?}", again.operations())
            })
        },
    ),
    ("a dry run has the same patch (dryRun=All)", |a| {
        let (wet, dry) = (a.operations(), a.dry().operations());
        want(wet == dry, || format!("{dry:?} for {wet:?}"))
    }),
];

fn path(operation: &Value) -> &str {
    operation["path"].as_str().unwrap_or_default()
}

fn decodes(a: &Answered) -> Result<(), String> {
    let Some(text) = a.response()["patch"].as_str() else {
        return Ok(());
    };
    let json = STANDARD.decode(text).map_err(|e| e.to_string())?;
    let list: Vec<Value> = serde_json::from_slice(&json).map_err(|e| e.to_string())?;
    want(!list.is_empty(), || "an empty list".to_owned())
}

fn operations(a: &Answered) -> Result<(), String> {
    let sound = |operation: &Value| {
        let value = operation.get("value").is_some();
        let complete = match operation["op"].as_str() {
            Some("add" | "replace") => value,
            Some("remove") => !value,
            _ => false,
        };
        complete && path(operation).starts_with('/')
    };
    let found = a.operations();
    want(found.iter().all(sound), || format!("{found:?}"))
}

fn rfc6902(a: &Answered) -> Result<(), String> {
    let Some(patch) = a.patch() else {
        return Ok(());
    };
    let operations: json_patch::Patch =
        serde_json::from_slice(&patch).map_err(|e| e.to_string())?;
    let mut strict = a.case.object().clone();
    json_patch::patch(&mut strict, &operations).map_err(|e| e.to_string())?;
    let served = a.patched()?;
    want(strict == served, || format!("{strict} or {served}"))
}

/// Whether a pointer is one of those that cotter may change.
fn is_ours(pointer: &str) -> bool {
    let parts: Vec<_> = pointer.split('/').skip(1).collect();
    // Each whole where there was none.
    let whole = [
        "/metadata",
        "/metadata/annotations",
        "/metadata/labels",
        "/spec/imagePullSecrets",
    ];
    whole.contains(&pointer)
        || match parts[..] {
            ["metadata", "annotations" | "labels", key] => key.starts_with("cotter.dev~1"),
            ["spec", "imagePullSecrets", place] => place == "-",
            ["spec", list, _, "image"] => list.to_lowercase().ends_with("containers"),
            ["spec", "volumes", _, "image", "reference"] => true,
            _ => false,
        }
}

fn touched(a: &Answered) -> Result<(), String> {
    let found = a.operations();
    want(found.iter().all(|o| is_ours(path(o))), || {
        format!("{found:?}")
    })
}

/// The object without what cotter may change.
fn rest(object: &Value) -> Value {
    let mut rest = object.clone();
    for map in ["annotations", "labels"] {
        if let Some(map) = rest
            .pointer_mut(&format!("/metadata/{map}"))
            .and_then(Value::as_object_mut)
        {
            map.retain(|key, _| !key.starts_with("cotter.dev/"));
        }
        remove_if_empty(&mut rest["metadata"], map);
    }
    remove_if_empty(&mut rest, "metadata");
    for list in [
        "containers",
        "initContainers",
        "ephemeralContainers",
        "volumes",
    ] {
        let list = rest
            .pointer_mut(&format!("/spec/{list}"))
            .and_then(Value::as_array_mut);
        for element in list.into_iter().flatten() {
            match element.pointer_mut("/image/reference") {
                Some(reference) => *reference = Value::Null,
                None => element["image"] = Value::Null,
            }
        }
    }
    if let Some(spec) = rest["spec"].as_object_mut() {
        spec.remove("imagePullSecrets");
    }
    rest
}

fn remove_if_empty(object: &mut Value, member: &str) {
    if let Some(members) = object.as_object_mut() {
        let empty = |value: &Value| value.is_null() || *value == json!({});
        if members.get(member).is_some_and(empty) {
            members.remove(member);
        }
    }
}

fn untouched(a: &Answered) -> Result<(), String> {
    if a.patch().is_none() {
        return Ok(());
    }
    let (before, after) = (a.case.object(), &a.patched()?);
    let kept = names(after);
    let first = names(before);
    want(kept.starts_with(&first), || {
        format!("{kept:?} for {first:?}")
    })?;
    want(rest(before) == rest(after), || {
        format!("{} became {}", rest(before), rest(after))
    })
}

/// The pull secrets of a Pod, in order.
fn names(object: &Value) -> Vec<Value> {
    object["spec"]["imagePullSecrets"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn types(a: &Answered) -> Result<(), String> {
    let sound = |o: &Value| match path(o) {
        "/spec/imagePullSecrets" => o["value"]
            .as_array()
            .is_some_and(|all| all.iter().all(is_name)),
        "/spec/imagePullSecrets/-" => is_name(&o["value"]),
        "/metadata/annotations" | "/metadata/labels" => o["value"]
            .as_object()
            .is_some_and(|map| map.values().all(Value::is_string)),
        "/metadata" => o["value"].is_object(),
        _ => o["op"] == "remove" || o["value"].is_string(),
    };
    let found = a.operations();
    want(found.iter().all(sound), || format!("{found:?}"))
}

fn is_name(value: &Value) -> bool {
    value["name"].as_str().is_some_and(|name| !name.is_empty())
}

fn images(a: &Answered) -> Result<(), String> {
    let found = a.operations();
    let images = found
        .iter()
        .filter(|o| path(o).starts_with("/spec/") && o["op"] == "replace");
    for image in images {
        let text = image["value"].as_str().unwrap_or_default();
        let kept = cotter::domain::reference::Reference::parse(text);
        kept.map_err(|why| format!("{text:?}: {why}"))?;
    }
    Ok(())
}

fn secrets(a: &Answered) -> Result<(), String> {
    let added: Vec<_> = names(&a.patched()?).split_off(names(a.case.object()).len());
    let before: BTreeSet<_> = names(a.case.object())
        .iter()
        .map(Value::to_string)
        .collect();
    let distinct: BTreeSet<_> = added.iter().map(Value::to_string).collect();
    let holds = distinct.len() == added.len() && distinct.is_disjoint(&before);
    want(holds, || format!("{added:?} to {before:?}"))
}

/// The names and images of a list.
fn slots(object: &Value, list: &str) -> Vec<(Value, Value)> {
    let list = object["spec"][list].as_array().into_iter().flatten();
    list.map(|one| (one["name"].clone(), one["image"].clone()))
        .collect()
}

fn changed(a: &Answered) -> Result<(), String> {
    if !a.case.is("UPDATE", "") || a.patch().is_none() {
        return Ok(());
    }
    let old = &a.case.request()["oldObject"];
    let before = slots(old, "containers");
    let unchanged = slots(a.case.object(), "containers")
        .into_iter()
        .filter(|slot| before.contains(slot));
    let after = slots(&a.patched()?, "containers");
    for slot in unchanged {
        want(after.contains(&slot), || {
            format!("{slot:?} became one of {after:?}")
        })?;
    }
    Ok(())
}

fn ephemeral(a: &Answered) -> Result<(), String> {
    if !a.case.is("UPDATE", "ephemeralcontainers") {
        return Ok(());
    }
    let (old, new) = (&a.case.request()["oldObject"], a.case.object());
    let known = slots(old, "ephemeralContainers");
    let after = a.patched()?;
    want(
        slots(&after, "containers") == slots(new, "containers"),
        || after.to_string(),
    )?;
    let pairs = slots(new, "ephemeralContainers")
        .into_iter()
        .zip(slots(&after, "ephemeralContainers"));
    for (shown, patched) in pairs {
        want(shown == patched || !known.contains(&shown), || {
            format!("{shown:?} became {patched:?}")
        })?;
    }
    let elsewhere = |o: &Value| !path(o).starts_with("/spec/ephemeralContainers/");
    let found = a.operations();
    want(!found.iter().any(elsewhere), || format!("{found:?}"))
}
