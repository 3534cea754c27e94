//! Writes that take effect only on what was read: each names the version that it was made for.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use super::{ClusterTrustStore, MANAGER, objects::ROTATED};
use crate::{
    cluster::errors::{Failure, of_request},
    tls::ports::{HookWrite, Of, SecretWrite, StoreError},
};

impl ClusterTrustStore {
    pub(super) async fn write_secret(&self, write: &SecretWrite) -> Result<(), StoreError> {
        let (name, owner) = (&self.names.secret, self.owner(&write.owner));
        let Some(version) = &write.version else {
            let object = json!({
                "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
                "metadata": {"name": name, "ownerReferences": [owner], "labels": {"app.kubernetes.io/managed-by": MANAGER}},
                "data": data(write, false),
            });
            let secret: Secret = serde_json::from_value(object).map_err(|_| broken())?;
            let params = PostParams {
                field_manager: Some(MANAGER.to_owned()),
                ..PostParams::default()
            };
            let made = self.secrets.create(&params, &secret).await;
            return made
                .map(drop)
                .map_err(|error| self.of_secret(&error, "create"));
        };
        let patch = json!({
            "metadata": {
                "resourceVersion": version, "ownerReferences": [owner],
                "annotations": {ROTATED: write.rotated},
            },
            "data": data(write, true),
        });
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patched = self
            .secrets
            .patch(name, &params, &Patch::Merge(patch))
            .await;
        patched
            .map(drop)
            .map_err(|error| self.of_secret(&error, "patch"))
    }

    pub(super) async fn delete_secret(&self, version: &str) -> Result<(), StoreError> {
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                resource_version: Some(version.to_owned()),
                uid: None,
            }),
            ..DeleteParams::default()
        };
        let deleted = self.secrets.delete(&self.names.secret, &params).await;
        deleted
            .map(drop)
            .map_err(|error| self.of_secret(&error, "delete"))
    }

    pub(super) async fn write_hooks(&self, of: &Of, hooks: &[HookWrite]) -> Result<(), StoreError> {
        let which = self.names.configuration_of(of.further.as_deref());
        let which = which.ok_or_else(broken)?;
        // The version stands for all that was read: whose webhooks these are and where they stand in the list.
        let mut operations =
            vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": of.version})];
        for hook in hooks {
            let at = format!("/webhooks/{}/clientConfig", hook.index);
            if let Some(bundle) = &hook.bundle {
                let value = BASE64_STANDARD.encode(bundle);
                operations
                    .push(json!({"op": "add", "path": format!("{at}/caBundle"), "value": value}));
            }
            if let Some(path) = &hook.path {
                let value = format!("{}{}", path.expose(), which.under);
                operations.push(
                    json!({"op": "add", "path": format!("{at}/service/path"), "value": value}),
                );
            }
        }
        let patch = serde_json::from_value(Value::from(operations)).map_err(|_| broken())?;
        let params = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patched = self
            .configurations
            .patch(which.name, &params, &Patch::Json::<()>(patch))
            .await;
        patched.map(drop).map_err(|error| match &error {
            // A test that fails is 422, and so is an object that the API server finds invalid.
            kube::Error::Api(status) if [404, 409, 422].contains(&status.code) => {
                StoreError::Conflict
            }
            _ => self.failed(of_request(&error, "patch", &which.target())),
        })
    }

    fn owner(&self, uid: &str) -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "name": self.names.configuration, "uid": uid,
        })
    }

    fn of_secret(&self, error: &kube::Error, verb: &'static str) -> StoreError {
        match error {
            kube::Error::Api(status) if [404, 409].contains(&status.code) => StoreError::Conflict,
            _ => self.failed(of_request(error, verb, &self.names.secret_target())),
        }
    }

    fn failed(&self, failure: Failure) -> StoreError {
        let text = failure.text.clone();
        self.writes.requested(Some(failure));
        StoreError::Failed(text)
    }
}

/// The data of the Secret; with `removals`, also which keys it is not to have.
fn data(write: &SecretWrite, removals: bool) -> BTreeMap<&'static str, Option<String>> {
    let all = write.data.iter();
    let encoded = all.map(|(key, bytes)| {
        let text = bytes
            .as_ref()
            .map(|bytes| BASE64_STANDARD.encode(bytes.as_slice()));
        (*key, text)
    });
    encoded
        .filter(|(_, text)| removals || text.is_some())
        .collect()
}

fn broken() -> StoreError {
    StoreError::Failed(
        "cotter cannot encode its own request, which is a defect; please report it".to_owned(),
    )
}
