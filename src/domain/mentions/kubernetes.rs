//! Objects for the API server: the nine kinds with Pods in them, alone or in Lists.

use std::{borrow::Cow, collections::HashSet};

use super::{Found, Path};
use crate::domain::{
    object::{Container, ImageVolume, Spec, Text, Volume},
    slots::{Kind, List, Slot},
    yaml::{NodeId, View},
};

pub(super) fn find(root: View<'_, '_>, found: &mut Found) {
    object(root, None, &Path::default(), found, &mut HashSet::new());
}

/// `seen`: an object that aliases name again and again is looked at once.
fn object(
    root: View<'_, '_>,
    list: Option<&str>,
    path: &Path,
    found: &mut Found,
    seen: &mut HashSet<NodeId>,
) {
    if !seen.insert(root.meant().id()) {
        return;
    }
    let text = |key| root.get(key).and_then(View::string);
    // The members of a PodList need not repeat their kind.
    let kind_name = text("kind").or_else(|| list?.strip_suffix("List"));
    let kind_name = kind_name.unwrap_or_default();
    if kind_name.ends_with("List") {
        let items = root.get("items").into_iter().flat_map(View::items);
        for (index, item) in items.enumerate() {
            let path = path.key("items").index(index);
            object(item, Some(kind_name), &path, found, seen);
        }
        return;
    }
    let group = match text("apiVersion").and_then(|api| api.split_once('/')) {
        Some((group, _)) => group,
        None => "",
    };
    let Some(kind) = Kind::of(group, kind_name) else {
        return;
    };
    let steps: Vec<_> = kind.spec_pointer().split('/').skip(1).collect();
    let Some(pod) = root.at(&steps) else {
        return;
    };
    let name = root.at(&["metadata", "name"]).and_then(View::string);
    let object = format!("{kind_name}/{}", name.unwrap_or_default());
    let path = steps.iter().fold(path.clone(), |path, step| path.key(step));
    spec(pod, &object, &path, found);
}

fn spec<'y>(pod: View<'y, '_>, object: &str, path: &Path, found: &mut Found) {
    let containers = |list: List| -> Vec<Container<'y>> {
        let all = pod.get(list.member()).into_iter().flat_map(View::items);
        all.map(container).collect()
    };
    let volumes = pod.get(List::Volumes.member()).into_iter();
    let read = Spec {
        containers: containers(List::Containers),
        init_containers: containers(List::InitContainers),
        ephemeral_containers: containers(List::EphemeralContainers),
        volumes: volumes.flat_map(View::items).map(volume).collect(),
        ..Spec::default()
    };
    for slot in Slot::all(&read) {
        let list = pod.get(slot.list.member());
        let Some(place) = list.and_then(|list| list.items().nth(slot.index)) else {
            continue;
        };
        let members: &[&str] = match slot.list {
            List::Volumes => &["image", "reference"],
            _ => &["image"],
        };
        if let Some(scalar) = place.at(members) {
            let path = path.key(slot.list.member()).index(slot.index);
            let path = members.iter().fold(path, |path, member| path.key(member));
            found.whole(scalar, path.0, Some(object.to_owned()), slot.never_pulled);
        }
    }
}

fn container<'y>(view: View<'y, '_>) -> Container<'y> {
    Container {
        name: text(view.get("name")).unwrap_or_default(),
        image: text(view.get("image")),
        image_pull_policy: text(view.get("imagePullPolicy")),
    }
}

fn volume<'y>(view: View<'y, '_>) -> Volume<'y> {
    let image = view.get("image").filter(|image| image.is_mapping());
    Volume {
        name: text(view.get("name")).unwrap_or_default(),
        image: image.map(|image| ImageVolume {
            reference: text(image.get("reference")),
            pull_policy: text(image.get("pullPolicy")),
        }),
    }
}

fn text<'y>(view: Option<View<'y, '_>>) -> Option<Text<'y>> {
    view?.scalar().map(|text| Text(Cow::Borrowed(text)))
}
