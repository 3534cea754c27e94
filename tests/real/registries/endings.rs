//! When a credential ends, as far as it says so.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{REGISTRIES, Site};
use crate::{
    lab::{eventually, lab, seeded},
    support::{registry_part::Registry, token_server::Grant},
};

/// 2100-01-01T00:00:00Z
const END: i64 = 4_102_444_800;

fn jwt() -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (head, claims) = (json!({"alg": "RS256", "typ": "JWT"}), json!({"exp": END}));
    format!("{}.{}.c2ln", part(head), part(claims))
}

#[test]
fn the_end_of_a_password_that_tells_it_is_told_until_another_one_is_used() {
    let lab = lab!();
    let token = jwt();
    let users = [("robot", token.as_str()), ("person", "plain")];
    let grants = ["robot", "person"].map(|user| Grant::new(user, "acme/", &["pull"]));
    let registry = seeded(Registry::with_tokens(&users, grants.to_vec()));
    let site = Site::start_of(&lab, &[&registry]);
    let shop = site.namespace("shop");
    let mut object = site.registry(&[&shop]);
    object["spec"]["host"] = json!(registry.host());
    site.secret_for(
        registry.host(),
        &json!({"username": "robot", "password": token}),
    );
    site.apply(&object);
    site.becomes("Ready", "True", "Ready");
    let ends = || {
        let registry = lab.plane.get(&format!("{REGISTRIES}/{}", site.name));
        registry["status"]["expiresAt"].as_str().map(str::to_owned)
    };
    assert_eq!(ends().as_deref(), Some("2100-01-01T00:00:00Z"));
    let metric = format!(
        "cotter_registry_credential_expires_timestamp_seconds{{registry=\"{}\"}}",
        site.name
    );
    assert!((site.cotter.metric(&metric) - 4_102_444_800.0).abs() < 1.0);

    site.secret_for(
        registry.host(),
        &json!({"username": "person", "password": "plain"}),
    );
    eventually("nothing ends any more", || ends().is_none().then_some(()));
    site.becomes("Ready", "True", "Ready");
    assert!(!site.cotter.ops("/metrics").1.contains(&metric));
}
