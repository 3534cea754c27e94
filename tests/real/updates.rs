//! UPDATEs of Pods touch the images that they change and nothing else.

use serde_json::json;

use crate::{
    lab::{annotation, lab, pinned},
    support::image::Image,
};

#[test]
fn labels_and_finalizers_leave_images_alone() {
    let lab = lab!();
    let ns = lab.enforced();
    // A Pod from before the namespace opted in.
    let plain = lab.namespace(&[]);
    let image = lab.image("public/app:dev");
    let metadata = json!({"name": "old", "finalizers": ["example.com/hold"]});
    plain.create(&metadata, &crate::lab::one(&image), "");
    plain
        .kubectl(&["label", "ns", &plain.name, "cotter.dev/mode=enforce"], "")
        .ok();
    plain.kubectl(&["label", "pod", "old", "a=b"], "").ok();
    assert_eq!(plain.pod("old")["spec"]["containers"][0]["image"], image);
    let none = r#"{"metadata": {"finalizers": null}}"#;
    plain.kubectl(&["patch", "pod", "old", "-p", none], "").ok();
    assert_eq!(plain.pod("old")["spec"]["containers"][0]["image"], image);
    drop(ns);
}

#[test]
fn set_image_pins_the_new_image_only() {
    let lab = lab!();
    let ns = lab.enforced();
    let (one, two) = (lab.image("public/app:dev"), lab.image("public/old:dev"));
    let spec = json!({"containers": [{"name": "a", "image": one}, {"name": "b", "image": one}]});
    ns.create(&json!({"name": "web"}), &spec, "");
    let before = ns.pod("web");
    ns.kubectl(&["set", "image", "pod/web", &format!("b={two}")], "")
        .ok();
    let after = ns.pod("web");
    assert_eq!(
        after["spec"]["containers"][0],
        before["spec"]["containers"][0]
    );
    let expected = pinned(&two, &lab.tokens.digest("public/old", "dev"));
    assert_eq!(after["spec"]["containers"][1]["image"], expected);
    assert_eq!(
        annotation(&after, "cotter.dev/images")["b"],
        json!({"from": two, "to": expected})
    );
}

/// Nothing restarts: the tag has moved, the Pod has not.
#[test]
fn applying_a_bare_pod_again_keeps_its_digest_although_the_tag_has_moved() {
    let lab = lab!();
    let ns = lab.enforced();
    lab.tokens
        .push("public/moving", &Image::new("before").build(), &["dev"]);
    let image = lab.image("public/moving:dev");
    let manifest = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": crate::lab::one(&image)});
    ns.kubectl(&["apply", "-f", "-"], &manifest.to_string())
        .ok();
    let before = ns.pod("web");
    lab.tokens
        .push("public/moving", &Image::new("after").build(), &["dev"]);
    ns.kubectl(&["apply", "-f", "-"], &manifest.to_string())
        .ok();
    let after = ns.pod("web");
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(
        after["metadata"]["annotations"]["cotter.dev/images"],
        before["metadata"]["annotations"]["cotter.dev/images"]
    );
}
