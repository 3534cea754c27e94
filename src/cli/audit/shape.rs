//! What many Pods have in common. Thousands of Pods are a few hundred shapes, and nothing else of them is kept.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use smol_str::SmolStr;

use crate::{
    cluster::inventory::Seen,
    domain::{
        credentials::secret_names,
        object::{Container, ImageVolume, Metadata, Object, SecretName, Spec, Text, Volume},
        scope::{self, Operation, Request, Scope},
        slots::{List, Slot},
    },
};

/// The pull policy of an image that is expected on the node.
const NEVER: &str = "Never";
/// What the `ServiceAccount` admission gives a Pod that names none.
const DEFAULT_ACCOUNT: &str = "default";

/// What Pods with the same images, secrets and owner have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// Where they are.
    pub(super) namespace: SmolStr,
    /// Whose they are: `Deployment/web`; a bare Pod is its own.
    pub(super) workload: SmolStr,
    /// Whether it is a template, whose Pods are not here yet.
    pub(super) is_template: bool,
    /// The service account.
    pub(super) account: SmolStr,
    /// The names in `imagePullSecrets`.
    pub(super) pull_secrets: Vec<SmolStr>,
    /// Whether `cotter.dev/skip` asks to be left alone.
    pub(super) asks_to_be_skipped: bool,
    /// The images.
    slots: Vec<ShapeSlot>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ShapeSlot {
    list: List,
    name: SmolStr,
    image: SmolStr,
    never_pulled: bool,
}

/// The Pods of one shape.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    /// How many there are.
    pub(super) pods: usize,
    /// How many more have ended. They run nothing, and their secrets are used.
    pub(super) over: usize,
    /// The name of one.
    pub(super) example: SmolStr,
    /// What runs: slot, `imageID`, and how many Pods run it.
    pub(super) running: Vec<(usize, SmolStr, usize)>,
}

/// All shapes that were seen.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    shapes: HashMap<Shape, Members>,
    /// Each text that is kept, once.
    texts: HashSet<SmolStr>,
}

// === impl Shape ===

impl Shape {
    /// A Pod of this shape, as far as rules read it.
    pub(super) fn object(&self) -> Object<'_> {
        let mut spec = Spec {
            image_pull_secrets: Some(
                self.pull_secrets
                    .iter()
                    .map(|name| SecretName { name: text(name) })
                    .collect(),
            ),
            service_account_name: Some(text(&self.account)),
            ..Spec::default()
        };
        for slot in &self.slots {
            let never = slot.never_pulled.then(|| text(NEVER));
            if slot.list == List::Volumes {
                spec.volumes.push(Volume {
                    name: text(&slot.name),
                    image: Some(ImageVolume {
                        reference: Some(text(&slot.image)),
                        pull_policy: never,
                    }),
                });
                continue;
            }
            let container = Container {
                name: text(&slot.name),
                image: Some(text(&slot.image)),
                image_pull_policy: never,
            };
            match slot.list {
                List::InitContainers => spec.init_containers.push(container),
                List::EphemeralContainers => spec.ephemeral_containers.push(container),
                _ => spec.containers.push(container),
            }
        }
        Object {
            metadata: Metadata {
                present: true,
                ..Metadata::default()
            },
            spec,
            ..Object::default()
        }
    }
}

// === impl Shapes ===

impl Shapes {
    /// Takes in what was seen; false for what cotter leaves alone: mirror Pods, what is being deleted, and templates that
    /// a controller made.
    pub(super) fn take(&mut self, seen: &Seen<'_>) -> bool {
        let request = Request {
            operation: Operation::Create,
            kind: seen.holder.kind,
            subresource: "",
        };
        let (slots, is_template) = match scope::scope(&request, seen.object, None) {
            Scope::LeftAlone => return false,
            Scope::Pod { slots, .. } => (slots, false),
            Scope::Template(slots) => (slots, true),
        };
        let Some(spec) = seen.holder.kind.pod_spec(seen.object) else {
            return false;
        };
        let running = running(&slots, seen);
        let shape = self.shape(seen, spec, &slots, is_template);
        let name = self.text(seen.object.metadata.name.as_deref().unwrap_or_default());
        let running: Vec<_> = running.map(|(slot, id)| (slot, self.text(id))).collect();
        let members = self.shapes.entry(shape).or_default();
        if members.example.is_empty() {
            members.example = name;
        }
        match (is_template, seen.status.is_over) {
            (true, _) => {}
            (false, true) => members.over += 1,
            (false, false) => {
                members.pods += 1;
                for (slot, id) in running {
                    members.runs(slot, id);
                }
            }
        }
        true
    }

    /// The shapes in the order of their namespaces and workloads.
    pub(super) fn into_sorted(self) -> Vec<(Shape, Members)> {
        let mut shapes: Vec<_> = self.shapes.into_iter().collect();
        let key = |shape: &Shape| (shape.namespace.clone(), shape.workload.clone());
        shapes.sort_by_cached_key(|(shape, members)| (key(shape), members.example.clone()));
        shapes
    }

    fn shape(
        &mut self,
        seen: &Seen<'_>,
        spec: &Spec<'_>,
        slots: &[Slot<'_>],
        is_template: bool,
    ) -> Shape {
        let metadata = &seen.object.metadata;
        let pod_metadata = seen.holder.kind.pod_metadata(seen.object);
        let account = spec.service_account_name.as_deref().unwrap_or_default();
        let slots = slots.iter().map(|slot| ShapeSlot {
            list: slot.list,
            name: self.text(slot.name),
            image: self.text(slot.image),
            never_pulled: slot.never_pulled,
        });
        let slots = slots.collect();
        Shape {
            namespace: self.text(metadata.namespace.as_deref().unwrap_or_default()),
            workload: self.text(&workload(seen)),
            is_template,
            account: match account {
                "" => DEFAULT_ACCOUNT.into(),
                account => self.text(account),
            },
            pull_secrets: secret_names(spec).map(|name| self.text(name)).collect(),
            asks_to_be_skipped: pod_metadata
                .is_some_and(|m| m.annotations.skip.as_deref() == Some("true")),
            slots,
        }
    }

    /// The text, shared with whoever else has it.
    fn text(&mut self, text: &str) -> SmolStr {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text = SmolStr::new(text);
        self.texts.insert(text.clone());
        text
    }
}

impl Members {
    fn runs(&mut self, slot: usize, id: SmolStr) {
        let known = self
            .running
            .iter_mut()
            .find(|(s, i, _)| *s == slot && *i == id);
        match known {
            Some((_, _, pods)) => *pods += 1,
            None => self.running.push((slot, id, 1)),
        }
    }
}

fn text(text: &str) -> Text<'_> {
    Text(Cow::Borrowed(text))
}

/// What runs in the slots, as the status tells.
fn running<'s>(
    slots: &[Slot<'_>],
    seen: &'s Seen<'_>,
) -> impl Iterator<Item = (usize, &'s str)> + use<'s> {
    let places: Vec<(List, String)> = slots.iter().map(|s| (s.list, s.name.to_owned())).collect();
    seen.status.running.iter().filter_map(move |one| {
        let is_here = |(list, name): &(List, String)| *list == one.list && *name == one.name;
        Some((places.iter().position(is_here)?, &*one.image_id))
    })
}

/// Whose the object is: its controller, or itself. A Deployment's `ReplicaSets` end with the hash of their template.
fn workload(seen: &Seen<'_>) -> String {
    let metadata = &seen.object.metadata;
    let Some(owner) = metadata.controller() else {
        let name = metadata.name.as_deref().unwrap_or_default();
        return format!("{}/{name}", seen.holder.name);
    };
    let deployment = seen
        .template_hash
        .filter(|_| &*owner.kind == "ReplicaSet")
        .and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
    match deployment {
        Some(name) => format!("Deployment/{name}"),
        None => format!("{}/{}", &*owner.kind, &*owner.name),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        cluster::inventory::{Holder, PodStatus, Running},
        domain::json,
    };

    use super::*;

    fn take(shapes: &mut Shapes, holder: Holder, text: &str, id: &str) -> bool {
        let object: Object<'_> = json::read(text).unwrap();
        let running = vec![Running {
            list: List::Containers,
            name: "app".into(),
            image_id: id.into(),
        }];
        shapes.take(&Seen {
            holder,
            object: &object,
            status: PodStatus {
                is_over: false,
                running,
            },
            template_hash: Some("7d9f8"),
        })
    }

    fn pod(name: &str) -> String {
        let owner = r#"[{"kind":"ReplicaSet","name":"web-7d9f8","controller":true,"apiVersion":"apps/v1"}]"#;
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"shop","ownerReferences":{owner}}},"spec":{{
            "containers":[{{"name":"app","image":"ghcr.io/acme/app:dev"}}],"imagePullSecrets":[{{"name":"a"}}],
            "volumes":[{{"name":"v","image":{{"reference":"data:1","pullPolicy":"Never"}}}}]}}}}"#
        )
    }

    #[test]
    fn pods_of_one_shape_are_counted_and_kept_once() {
        let mut shapes = Shapes::default();
        for (name, id) in [("web-1", "x@1"), ("web-2", "x@1"), ("web-3", "x@2")] {
            assert!(take(&mut shapes, Holder::POD, &pod(name), id));
        }
        let [(shape, members)] = &shapes.into_sorted()[..] else {
            panic!("one shape");
        };
        assert_eq!((members.pods, members.example.as_str()), (3, "web-1"));
        let running = [(0, "x@1".into(), 2), (0, "x@2".into(), 1)];
        assert_eq!(members.running, running);
        assert_eq!(
            (&*shape.workload, &*shape.account),
            ("Deployment/web", "default")
        );
        let object = shape.object();
        let slots: Vec<_> = Slot::all(&object.spec).collect();
        let seen: Vec<_> = slots
            .iter()
            .map(|s| (s.key(), s.image, s.never_pulled))
            .collect();
        let expected = [
            ("app".to_owned(), "ghcr.io/acme/app:dev", false),
            ("volumes/v".to_owned(), "data:1", true),
        ];
        assert_eq!(seen, expected);
        assert_eq!(secret_names(&object.spec).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn what_cotter_leaves_alone_is_left_out() {
        let mut shapes = Shapes::default();
        let mirror = r#"{"metadata":{"name":"etcd","annotations":{"kubernetes.io/config.mirror":"x"}},"spec":{}}"#;
        assert!(!take(&mut shapes, Holder::POD, mirror, ""));
        let going =
            r#"{"metadata":{"name":"a","deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{}}"#;
        assert!(!take(&mut shapes, Holder::POD, going, ""));
        let made = r#"{"metadata":{"name":"web-7d9f8","ownerReferences":[{"kind":"Deployment","controller":true}]},
            "spec":{"template":{"spec":{"containers":[{"name":"app","image":"a"}]}}}}"#;
        assert!(!take(&mut shapes, Holder::TEMPLATES[3], made, ""));
        assert!(shapes.into_sorted().is_empty());
    }
}
