//! The few members of a Pod, or of an object with a Pod template, that cotter reads; borrowed from the review.

use std::borrow::Cow;

mod reading;

/// A text of the review, borrowed unless JSON escapes had to be undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

/// A Pod or an object with a Pod template.
#[derive(Clone, Debug, Default)]
pub struct Object<'a> {
    /// `metadata`.
    pub metadata: Metadata<'a>,
    /// `spec`: a Pod's own, or a workload's around the template.
    pub spec: Spec<'a>,
    /// The template of a `PodTemplate`.
    pub template: Template<'a>,
}

/// The members of `metadata` that matter.
#[derive(Clone, Debug, Default)]
pub struct Metadata<'a> {
    /// Whether the object has it at all; the API server's always do.
    pub present: bool,
    /// Absent for a Pod with `generateName`.
    pub name: Option<Text<'a>>,
    /// The prefix of a name that the API server has yet to make.
    pub generate_name: Option<Text<'a>>,
    /// The namespace; the request's counts where it is absent.
    pub namespace: Option<Text<'a>>,
    /// Set while the object is being deleted.
    pub deletion_timestamp: Option<Text<'a>>,
    /// The annotations that cotter knows.
    pub annotations: Annotations<'a>,
    /// The labels that cotter knows.
    pub labels: Labels<'a>,
    /// Who owns the object.
    pub owner_references: Vec<OwnerReference<'a>>,
}

/// One owner of an object.
#[derive(Clone, Debug, Default)]
pub struct OwnerReference<'a> {
    /// The owner's API group and version.
    pub api_version: Text<'a>,
    /// The owner's kind.
    pub kind: Text<'a>,
    /// The owner's name.
    pub name: Text<'a>,
    /// The owner's uid.
    pub uid: Text<'a>,
    /// Whether it is the one that manages the object.
    pub controller: Option<bool>,
}

/// The spec of a Pod, and around it the specs of workloads; each object has only some of these members.
#[derive(Clone, Debug, Default)]
pub struct Spec<'a> {
    /// `containers`.
    pub containers: Vec<Container<'a>>,
    /// `initContainers`.
    pub init_containers: Vec<Container<'a>>,
    /// `ephemeralContainers`.
    pub ephemeral_containers: Vec<Container<'a>>,
    /// `volumes`.
    pub volumes: Vec<Volume<'a>>,
    /// `imagePullSecrets`; `None` where it is absent or null.
    pub image_pull_secrets: Option<Vec<SecretName<'a>>>,
    /// `serviceAccountName`.
    pub service_account_name: Option<Text<'a>>,
    /// The Pod template of a workload.
    pub template: Option<Box<Template<'a>>>,
    /// The Job template of a `CronJob`.
    pub job_template: Option<Box<Template<'a>>>,
}

/// A Pod template, or a Job template around one.
#[derive(Clone, Debug, Default)]
pub struct Template<'a> {
    /// What its objects' `metadata` will hold.
    pub metadata: Metadata<'a>,
    /// What its objects' `spec` will be.
    pub spec: Spec<'a>,
}

/// A container of any of the three lists.
#[derive(Clone, Debug, Default)]
pub struct Container<'a> {
    /// The name, unique among all containers of a Pod.
    pub name: Text<'a>,
    /// The reference.
    pub image: Option<Text<'a>>,
    /// The pull policy; the API server fills it in before a webhook is called.
    pub image_pull_policy: Option<Text<'a>>,
}

/// A volume; only image volumes have `image`.
#[derive(Clone, Debug, Default)]
pub struct Volume<'a> {
    /// The name, unique among the volumes of a Pod.
    pub name: Text<'a>,
    /// `image`.
    pub image: Option<ImageVolume<'a>>,
}

/// The source of an image volume.
#[derive(Clone, Debug, Default)]
pub struct ImageVolume<'a> {
    /// The reference.
    pub reference: Option<Text<'a>>,
    /// The pull policy.
    pub pull_policy: Option<Text<'a>>,
}

/// One element of `imagePullSecrets`.
#[derive(Clone, Debug, Default)]
pub struct SecretName<'a> {
    /// The name; the kubelet skips empty ones.
    pub name: Text<'a>,
}

/// The annotations that cotter knows, and the size of all.
#[derive(Clone, Debug, Default)]
pub struct Annotations<'a> {
    /// Whether the object has the map at all.
    pub present: bool,
    /// Bytes of all keys and values, as the API server counts them against its 256 KiB.
    pub bytes: usize,
    /// `cotter.dev/images`.
    pub images: Option<Cow<'a, str>>,
    /// `cotter.dev/unpinned`.
    pub unpinned: Option<Cow<'a, str>>,
    /// `cotter.dev/skip`.
    pub skip: Option<Cow<'a, str>>,
    /// Whether `kubernetes.io/config.mirror` is there.
    pub mirror: bool,
}

/// The labels that cotter knows.
#[derive(Clone, Debug, Default)]
pub struct Labels<'a> {
    /// Whether the object has the map at all.
    pub present: bool,
    /// `cotter.dev/pinned`.
    pub pinned: Option<Cow<'a, str>>,
    /// `controller-revision-hash`.
    pub revision: Option<Cow<'a, str>>,
}

/// `cotter.dev/images`: what cotter changed, slot by slot.
pub const IMAGES: &str = "cotter.dev/images";
/// `cotter.dev/unpinned`: which slots stayed unpinned, and why.
pub const UNPINNED: &str = "cotter.dev/unpinned";
/// `cotter.dev/skip`: `"true"` asks to be left alone.
pub const SKIP: &str = "cotter.dev/skip";
/// `cotter.dev/pinned`: `"true"` on a pinned Pod whose siblings get the same digests.
pub const PINNED: &str = "cotter.dev/pinned";
/// The longest value of a label.
pub const LONGEST_LABEL: usize = 63;
/// The kubelet's mark on a mirror Pod.
pub const MIRROR: &str = "kubernetes.io/config.mirror";
/// The revision of a DaemonSet's or StatefulSet's Pod.
pub const REVISION: &str = "controller-revision-hash";

// === impl Text ===

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

// === impl Metadata ===

impl Metadata<'_> {
    /// The owner that manages the object.
    #[must_use]
    pub fn controller(&self) -> Option<&OwnerReference<'_>> {
        self.owner_references
            .iter()
            .find(|owner| owner.controller == Some(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_matters_and_skips_the_rest() {
        let pod = r#"{"metadata":{"annotations":{"a":"b","cotter.dev/skip":"true","n":null},"labels":null,
            "managedFields":[{"x":{}}]},"spec":{"containers":[{"name":"a","image":"ngi\u006ex","env":[{"x":"<"}]}],
            "initContainers":null,"unknown":{"deep":[1,2,{}]}},"status":{}}"#;
        let object: Object<'_> = crate::domain::json::read(pod).unwrap();
        assert_eq!(object.metadata.annotations.skip.as_deref(), Some("true"));
        assert_eq!(object.metadata.annotations.bytes, 2 + 15 + 4 + 1);
        assert!(!object.metadata.labels.present);
        assert_eq!(object.spec.containers[0].image.as_deref(), Some("nginx"));
        assert!(object.spec.init_containers.is_empty());
    }

    #[test]
    fn texts_are_borrowed() {
        let object: Object<'_> =
            crate::domain::json::read(r#"{"spec":{"containers":[{"image":"nginx"}]}}"#).unwrap();
        let image = object.spec.containers[0].image.as_ref().unwrap();
        assert!(matches!(image.0, Cow::Borrowed("nginx")));
    }
}
