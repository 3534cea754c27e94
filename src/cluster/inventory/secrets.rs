//! Pull secrets, and when they were written.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};
use smol_str::SmolStr;

use crate::{
    cluster::objects::{SecretObject, identity},
    domain::{docker_config::SecretType, pull_secret::PullSecret},
};

/// A pull secret, and when its data was written last.
#[derive(Clone, Debug)]
pub struct DatedSecret {
    /// Where it is.
    pub namespace: SmolStr,
    /// What the kubelet reads.
    pub secret: Arc<PullSecret>,
    /// As its managed fields tell, else when it was made.
    pub written: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Dates {
    metadata: DatesMeta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DatesMeta {
    creation_timestamp: Option<String>,
    managed_fields: Option<Vec<Managed>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Managed {
    time: Option<String>,
    fields_v1: Option<Fields>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "f:data")]
    data: Option<IgnoredAny>,
}

// === impl DatedSecret ===

impl DatedSecret {
    /// Reads a Secret; `None` for one of another type.
    pub(super) fn read(item: &str, kind: SecretType) -> Result<Option<Self>, String> {
        // The error's own text could show what the Secret holds.
        let unreadable = |_| "a Secret cannot be read".to_owned();
        let object: SecretObject = serde_json::from_str(item).map_err(unreadable)?;
        if object.kind != Some(kind) {
            return Ok(None);
        }
        let (namespace, name, _) = identity(&object);
        Ok(Some(Self {
            namespace,
            secret: Arc::new(PullSecret::read(&name, kind, &object.data)),
            written: written(item),
        }))
    }
}

/// When the data was written last: whoever sets a label later writes no data.
fn written(item: &str) -> Option<Timestamp> {
    let Dates { metadata } = serde_json::from_str(item).ok()?;
    let of_data = metadata.managed_fields.unwrap_or_default().into_iter();
    let of_data = of_data.filter(|m| m.fields_v1.as_ref().is_some_and(|f| f.data.is_some()));
    let moments = of_data.filter_map(|managed| managed.time?.parse::<Timestamp>().ok());
    moments
        .max()
        .or_else(|| metadata.creation_timestamp?.parse().ok())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::by_who_wrote_data_last(
        r#"{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","managedFields":[
            {"manager":"a","time":"2026-01-02T00:00:00Z","fieldsV1":{"f:data":{".":{}}}},
            {"manager":"b","time":"2026-01-03T00:00:00Z","fieldsV1":{"f:data":{"f:x":{}}}},
            {"manager":"labeller","time":"2026-01-09T00:00:00Z","fieldsV1":{"f:metadata":{}}}]}}"#,
        Some("2026-01-03T00:00:00Z")
    )]
    #[case::else_when_it_was_made(
        r#"{"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z","managedFields":null}}"#,
        Some("2026-01-01T00:00:00Z")
    )]
    #[case::nobody_knows(r#"{"metadata":{}}"#, None)]
    fn when_a_secret_was_written(#[case] item: &str, #[case] expected: Option<&str>) {
        let expected = expected.map(|text| text.parse().unwrap());
        assert_eq!(written(item), expected);
    }
}
