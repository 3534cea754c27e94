//! `kubectl debug` adds an ephemeral container through its subresource.

use serde_json::json;

use crate::lab::{lab, one, pinned};

#[test]
fn debug_pins_the_ephemeral_container_only() {
    let lab = lab!();
    let plain = lab.namespace(&[]);
    let image = lab.image("public/app:dev");
    plain.create(&json!({"name": "web"}), &one(&image), "");
    plain
        .kubectl(&["label", "ns", &plain.name, "cotter.dev/mode=enforce"], "")
        .ok();
    let tool = lab.image("public/tool:latest");
    let expected = pinned(&tool, &lab.tokens.digest("public/tool", "latest"));
    for name in ["one", "two"] {
        let args = [
            "debug",
            "web",
            "--image",
            &tool,
            "-c",
            name,
            "--target",
            "app",
            "--attach=false",
        ];
        crate::lab::eventually("the label to be seen", || {
            let done = plain.kubectl(&args, "");
            assert!(
                done.code == 0 || done.stderr.contains("already exists"),
                "{}",
                done.stderr
            );
            let pod = plain.pod("web");
            let debug = pod["spec"]["ephemeralContainers"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            assert_eq!(pod["spec"]["containers"][0]["image"], image);
            let found = debug.iter().find(|c| c["name"] == name)?;
            assert_eq!(found["image"], expected);
            Some(())
        });
    }
}
