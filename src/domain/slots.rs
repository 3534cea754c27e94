//! The one walk that finds every image of an object. Nothing else in the program knows where images stand.

use std::fmt;

use super::object::{Container, Metadata, Object, Spec, Template, Text};

/// The kinds of object that hold images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `v1 Pod`.
    Pod,
    /// `apps/v1` Deployment, StatefulSet, DaemonSet and ReplicaSet, `batch/v1 Job`, `v1 ReplicationController`.
    Workload,
    /// `batch/v1 CronJob`.
    CronJob,
    /// `v1 PodTemplate`.
    PodTemplate,
}

/// Which list of a Pod a slot stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// `containers`.
    Containers,
    /// `initContainers`.
    InitContainers,
    /// `ephemeralContainers`.
    EphemeralContainers,
    /// `volumes`, those with an image.
    Volumes,
}

/// One place in an object that holds a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<'a> {
    /// The list.
    pub list: List,
    /// The index in it.
    pub index: usize,
    /// The container's or volume's name.
    pub name: &'a str,
    /// The reference as written; empty where it is absent.
    pub image: &'a str,
    /// The pull policy is `Never`: the image is expected on the node under its tag.
    pub never_pulled: bool,
}

// === impl Kind ===

impl Kind {
    /// The kind of an object, by API group and kind; `None` if it holds no images.
    #[must_use]
    pub fn of(group: &str, kind: &str) -> Option<Self> {
        match (group, kind) {
            ("", "Pod") => Some(Self::Pod),
            ("", "ReplicationController")
            | ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
            | ("batch", "Job") => Some(Self::Workload),
            ("batch", "CronJob") => Some(Self::CronJob),
            ("", "PodTemplate") => Some(Self::PodTemplate),
            _ => None,
        }
    }

    /// The JSON pointer of the Pod spec in an object of this kind.
    #[must_use]
    pub fn spec_pointer(self) -> &'static str {
        match self {
            Self::Pod => "/spec",
            Self::Workload => "/spec/template/spec",
            Self::CronJob => "/spec/jobTemplate/spec/template/spec",
            Self::PodTemplate => "/template/spec",
        }
    }

    /// The Pod spec of an object of this kind; `None` where a template is absent.
    #[must_use]
    pub fn pod_spec<'o, 'a>(self, object: &'o Object<'a>) -> Option<&'o Spec<'a>> {
        match self {
            Self::Pod => Some(&object.spec),
            _ => self.template(object).map(|template| &template.spec),
        }
    }

    /// The metadata of a Pod, or those that its template gives it.
    #[must_use]
    pub fn pod_metadata<'o, 'a>(self, object: &'o Object<'a>) -> Option<&'o Metadata<'a>> {
        match self {
            Self::Pod => Some(&object.metadata),
            _ => self.template(object).map(|template| &template.metadata),
        }
    }

    fn template<'o, 'a>(self, object: &'o Object<'a>) -> Option<&'o Template<'a>> {
        match self {
            Self::Pod => None,
            Self::Workload => object.spec.template.as_deref(),
            Self::CronJob => {
                let job = object.spec.job_template.as_deref()?;
                job.spec.template.as_deref()
            }
            Self::PodTemplate => Some(&object.template),
        }
    }
}

// === impl Slot ===

impl<'a> Slot<'a> {
    /// All slots of a Pod spec: init containers first, as they are pulled first.
    pub fn all<'o: 'a>(spec: &'o Spec<'_>) -> impl Iterator<Item = Slot<'o>> {
        let list = |list, containers: &'o [Container<'_>]| {
            let slot = move |(index, c)| Slot::of_container(list, index, c);
            containers.iter().enumerate().map(slot)
        };
        let volumes = spec
            .volumes
            .iter()
            .enumerate()
            .filter_map(|(index, volume)| {
                let image = volume.image.as_ref()?;
                Some(Slot {
                    list: List::Volumes,
                    index,
                    name: &volume.name,
                    image: text(image.reference.as_ref()),
                    never_pulled: text(image.pull_policy.as_ref()) == "Never",
                })
            });
        list(List::InitContainers, &spec.init_containers)
            .chain(list(List::Containers, &spec.containers))
            .chain(list(List::EphemeralContainers, &spec.ephemeral_containers))
            .chain(volumes)
    }

    fn of_container(list: List, index: usize, container: &'a Container<'_>) -> Self {
        Self {
            list,
            index,
            name: &container.name,
            image: text(container.image.as_ref()),
            never_pulled: text(container.image_pull_policy.as_ref()) == "Never",
        }
    }

    /// The JSON pointer of the reference in an object of this kind.
    #[must_use]
    pub fn pointer(&self, kind: Kind) -> String {
        let index = self.index.to_string();
        let image = match self.list {
            List::Volumes => "/image/reference",
            _ => "/image",
        };
        [
            kind.spec_pointer(),
            "/",
            self.list.member(),
            "/",
            &index,
            image,
        ]
        .concat()
    }

    /// The slot's key in `cotter.dev/images`: the container's name, or `volumes/` and the volume's, since a volume
    /// may be named like a container.
    #[must_use]
    pub fn key(&self) -> String {
        self.key_parts().concat()
    }

    /// The same in two parts, for who puts it into a longer text.
    #[must_use]
    pub fn key_parts(&self) -> [&'a str; 2] {
        match self.list {
            List::Volumes => ["volumes/", self.name],
            _ => ["", self.name],
        }
    }

    /// Whether both stand for the same container or volume.
    #[must_use]
    pub fn is_same_place(&self, other: &Slot<'_>) -> bool {
        self.list == other.list && self.name == other.name
    }
}

impl fmt::Display for Slot<'_> {
    /// The slot as warnings name it: `container "app"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.list {
            List::Containers => "container",
            List::InitContainers => "init container",
            List::EphemeralContainers => "ephemeral container",
            List::Volumes => "volume",
        };
        write!(f, "{what} {:?}", self.name)
    }
}

// === impl List ===

impl List {
    /// The member of a Pod spec.
    #[must_use]
    pub fn member(self) -> &'static str {
        match self {
            Self::Containers => "containers",
            Self::InitContainers => "initContainers",
            Self::EphemeralContainers => "ephemeralContainers",
            Self::Volumes => "volumes",
        }
    }
}

fn text<'o>(text: Option<&'o Text<'_>>) -> &'o str {
    text.map(|text| &**text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SPEC: &str = r#"{"containers":[{"name":"a","image":"i1"},{"name":"b","image":"i2","imagePullPolicy":"Never"}],
        "initContainers":[{"name":"c","image":"i0"}],"ephemeralContainers":[{"name":"d","image":"i3"}],
        "volumes":[{"name":"e"},{"name":"a","image":{"reference":"i4"}}]}"#;

    #[test]
    fn finds_every_slot_with_its_pointer() {
        let object = format!(r#"{{"spec":{SPEC}}}"#);
        let object: Object<'_> = crate::domain::json::read(&object).unwrap();
        let found: Vec<_> = Slot::all(&object.spec)
            .map(|s| (s.key(), s.image, s.pointer(Kind::Pod), s.never_pulled))
            .collect();
        let expected = [
            ("c", "i0", "/spec/initContainers/0/image", false),
            ("a", "i1", "/spec/containers/0/image", false),
            ("b", "i2", "/spec/containers/1/image", true),
            ("d", "i3", "/spec/ephemeralContainers/0/image", false),
            ("volumes/a", "i4", "/spec/volumes/1/image/reference", false),
        ];
        let expected = expected.map(|(k, i, p, n)| (k.to_owned(), i, p.to_owned(), n));
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case::pod("", "Pod", r#"{"spec":SPEC}"#, "/spec")]
    #[case::replication_controller(
        "",
        "ReplicationController",
        r#"{"spec":{"template":{"spec":SPEC}}}"#,
        "/spec/template/spec"
    )]
    #[case::deployment(
        "apps",
        "Deployment",
        r#"{"spec":{"template":{"spec":SPEC}}}"#,
        "/spec/template/spec"
    )]
    #[case::stateful_set(
        "apps",
        "StatefulSet",
        r#"{"spec":{"template":{"spec":SPEC}}}"#,
        "/spec/template/spec"
    )]
    #[case::daemon_set(
        "apps",
        "DaemonSet",
        r#"{"spec":{"template":{"spec":SPEC}}}"#,
        "/spec/template/spec"
    )]
    #[case::replica_set(
        "apps",
        "ReplicaSet",
        r#"{"spec":{"template":{"spec":SPEC}}}"#,
        "/spec/template/spec"
    )]
    #[case::job(
        "batch",
        "Job",
        r#"{"spec":{"template":{"spec":SPEC}}}"#,
        "/spec/template/spec"
    )]
    #[case::cron_job(
        "batch",
        "CronJob",
        r#"{"spec":{"jobTemplate":{"spec":{"template":{"spec":SPEC}}}}}"#,
        "/spec/jobTemplate/spec/template/spec"
    )]
    #[case::pod_template("", "PodTemplate", r#"{"template":{"spec":SPEC}}"#, "/template/spec")]
    fn every_kind(
        #[case] group: &str,
        #[case] kind: &str,
        #[case] object: &str,
        #[case] pointer: &str,
    ) {
        let object = object.replace("SPEC", SPEC);
        let value: serde_json::Value = serde_json::from_str(&object).unwrap();
        let kind = Kind::of(group, kind).unwrap();
        assert_eq!(kind.spec_pointer(), pointer);
        let object: Object<'_> = crate::domain::json::read(&object).unwrap();
        let slots: Vec<_> = Slot::all(kind.pod_spec(&object).unwrap()).collect();
        assert_eq!(slots.len(), 5);
        for slot in slots {
            assert_eq!(value.pointer(&slot.pointer(kind)).unwrap(), slot.image);
        }
    }

    #[test]
    fn other_kinds_hold_no_images() {
        assert_eq!(Kind::of("policy", "Eviction"), None);
        assert_eq!(Kind::of("example.com", "Deployment"), None);
    }
}
