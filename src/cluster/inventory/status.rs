//! What runs of a Pod: its status, as far as it tells which image each container has.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::slots::List;

/// What runs of a Pod.
#[derive(Clone, Debug, Default)]
pub struct PodStatus<'a> {
    /// Whether the Pod has ended: it runs nothing, and will not.
    pub is_over: bool,
    /// The containers that have, or had, an image.
    pub running: Vec<Running<'a>>,
}

/// A container that has an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running<'a> {
    /// The list of the Pod spec that it stands in.
    pub list: List,
    /// Its name.
    pub name: Cow<'a, str>,
    /// `imageID`, as the container runtime gives it.
    pub image_id: Cow<'a, str>,
}

/// What an object says beyond the members that rules read.
pub(super) struct Rest<'a> {
    pub(super) status: PodStatus<'a>,
    pub(super) template_hash: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawObject<'a> {
    #[serde(borrow)]
    metadata: RawMeta<'a>,
    #[serde(borrow)]
    status: Option<RawStatus<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawMeta<'a> {
    #[serde(borrow)]
    labels: Option<RawLabels<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawLabels<'a> {
    #[serde(rename = "pod-template-hash", borrow)]
    template_hash: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawStatus<'a> {
    #[serde(borrow)]
    phase: Option<Cow<'a, str>>,
    #[serde(borrow)]
    container_statuses: Option<Vec<RawContainer<'a>>>,
    #[serde(borrow)]
    init_container_statuses: Option<Vec<RawContainer<'a>>>,
    #[serde(borrow)]
    ephemeral_container_statuses: Option<Vec<RawContainer<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawContainer<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(rename = "imageID", borrow)]
    image_id: Cow<'a, str>,
}

/// Reads what `item`, a Pod or an object with a template, says of it.
///
/// # Errors
/// A line that shows nothing of the object.
pub(super) fn rest(item: &str) -> Result<Rest<'_>, String> {
    let unreadable = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        format!("the status of an object cannot be read (line {line}, column {column})")
    };
    let RawObject { metadata, status } = serde_json::from_str(item).map_err(unreadable)?;
    let status = status.unwrap_or_default();
    let lists = [
        (List::InitContainers, status.init_container_statuses),
        (List::Containers, status.container_statuses),
        (
            List::EphemeralContainers,
            status.ephemeral_container_statuses,
        ),
    ];
    let running = lists.into_iter().flat_map(|(list, containers)| {
        let containers = containers.unwrap_or_default().into_iter();
        containers
            .filter(|c| !c.image_id.is_empty())
            .map(move |container| Running {
                list,
                name: container.name,
                image_id: container.image_id,
            })
    });
    Ok(Rest {
        status: PodStatus {
            is_over: matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")),
            running: running.collect(),
        },
        template_hash: metadata.labels.and_then(|labels| labels.template_hash),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_container_that_has_an_image_is_found() {
        let item = r#"{"metadata":{"labels":{"pod-template-hash":"7d9","app":"x"}},"spec":{},
            "status":{"phase":"Running","containerStatuses":[{"name":"a","imageID":"r@sha256:1","ready":true},
            {"name":"b","imageID":""}],"initContainerStatuses":[{"name":"i","imageID":"r@sha256:2"}],
            "ephemeralContainerStatuses":null}}"#;
        let Rest {
            status,
            template_hash,
        } = rest(item).unwrap();
        let seen: Vec<_> = status
            .running
            .iter()
            .map(|r| (r.list, &*r.name, &*r.image_id))
            .collect();
        let expected = [
            (List::InitContainers, "i", "r@sha256:2"),
            (List::Containers, "a", "r@sha256:1"),
        ];
        assert_eq!(seen, expected);
        assert_eq!(template_hash.as_deref(), Some("7d9"));
        assert!(!status.is_over);
    }

    #[test]
    fn a_template_runs_nothing() {
        let Rest { status, .. } = rest(r#"{"metadata":{"labels":null},"spec":{}}"#).unwrap();
        assert!(status.running.is_empty() && !status.is_over);
        let Rest { status, .. } = rest(r#"{"status":{"phase":"Succeeded"}}"#).unwrap();
        assert!(status.is_over);
    }
}
