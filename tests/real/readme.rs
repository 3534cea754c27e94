//! The README's webhook configuration, as it is printed.

use crate::lab::lab;

#[test]
fn the_webhook_configuration_of_the_readme_works() {
    let lab = lab!();
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let block = readme.split("<!-- webhook -->").nth(1).unwrap();
    let block = block
        .split("<<EOF\n")
        .nth(1)
        .unwrap()
        .split("EOF\n")
        .next()
        .unwrap();
    let (host, ca) = lab.cotter.address();
    let bundle = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, ca);
    let manifest = block
        .replace("127.0.0.1:8443", &host)
        .replace("$(base64 < certs/ca.pem | tr -d '\\n')", &bundle)
        // Other tests' namespaces are for their own configurations.
        .replace(
            "cotter.dev/mode, operator: In, values: [enforce, audit]",
            "readme, operator: Exists",
        );
    lab.plane.apply(&manifest, &[]).ok();
    let name = crate::lab::unique("readme");
    lab.plane
        .namespace(&name, &[("readme", ""), ("cotter.dev/mode", "enforce")]);
    let image = format!("--image={}", lab.image("public/app:dev"));
    let args = [
        "-n",
        &name,
        "run",
        "web",
        &image,
        "--dry-run=server",
        "-o",
        "yaml",
    ];
    crate::lab::eventually("the webhook to be called", || {
        let shown = lab.plane.kubectl(&args).ok();
        shown.contains("@sha256:").then_some(())
    });
    lab.plane.remove_webhook("cotter");
}
