//! A second webhook that changes the Pod after cotter has seen it.

use crate::{
    lab::{lab, pinned},
    support::{
        control_plane::MutatingWebhook,
        webhook_server::{WebhookServer, add_sidecar},
    },
};

#[test]
fn a_sidecar_that_comes_later_is_pinned_too() {
    let lab = lab!();
    let ns = lab.enforced();
    let sidecar = lab.image("public/tool:latest");
    let second = WebhookServer::start(add_sidecar("sidecar", &sidecar));
    // Configurations are called in the order of their names: "z" comes after the namespace's own.
    let name = format!("z-{}", ns.name);
    let webhook = MutatingWebhook::new(&name, &second.url(), second.ca(), &[&ns.name]);
    lab.plane.install_webhook(&webhook);
    let image = lab.image("public/app:dev");
    let made = crate::lab::eventually("the second webhook", || {
        let made = ns.run(&image);
        (!second.reviews().is_empty()).then_some(made)
    });
    lab.plane.remove_webhook(&name);
    let images = &made.object["spec"]["containers"];
    assert_eq!(
        images[0]["image"],
        pinned(&image, &lab.tokens.digest("public/app", "dev"))
    );
    assert_eq!(
        images[1]["image"],
        pinned(&sidecar, &lab.tokens.digest("public/tool", "latest"))
    );
}
