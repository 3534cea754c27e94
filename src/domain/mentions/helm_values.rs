//! Values of Helm charts: maps `{registry?, repository, tag, digest?}` and texts `image: repository:tag`, at any depth.

use super::{
    Found, Mention, Path, Remark,
    writing::{self, Parts},
};
use crate::domain::{
    reference::{self, Reference},
    yaml::{Spot, View},
};

/// The parts of an image, as they stand in the text.
struct Values<'y, 't> {
    is_own: bool,
    registry: Option<View<'y, 't>>,
    repository: View<'y, 't>,
    tag: Option<View<'y, 't>>,
    digest: Option<View<'y, 't>>,
}

pub(super) fn find<'y, 't>(root: View<'y, 't>, base: Option<View<'y, 't>>, found: &mut Found) {
    walk(root, base, &Path::default(), found);
}

/// Aliases are not followed: what they name is looked at where it stands. `base` is what the chart's own values have at
/// this place; lists are not merged, so there is none below them.
fn walk<'y, 't>(node: View<'y, 't>, base: Option<View<'y, 't>>, path: &Path, found: &mut Found) {
    if node.is_alias() {
        return;
    }
    for (index, item) in node.items().enumerate() {
        walk(item, None, &path.index(index), found);
    }
    let is_map = node.is_mapping() && map(node, base, path, found);
    for (key, value) in node.entries() {
        let Some(name) = key.scalar() else { continue };
        let path = path.key(name);
        if value.is_mapping() || value.is_sequence() {
            let base = base.and_then(|base| base.get(name));
            walk(value, base, &path, found);
        } else if !is_map && is_image(name) {
            text(node, (key, value), path, found);
        }
    }
}

/// `image`, `initImage`, `sidecar-image`.
fn is_image(key: &str) -> bool {
    key.to_ascii_lowercase().ends_with("image")
}

/// `image: repository:tag`, or `image: repository` with the tag beside it.
fn text<'y, 't>(
    map: View<'y, 't>,
    (key, value): (View<'y, 't>, View<'y, 't>),
    path: Path,
    found: &mut Found,
) {
    if value.is_alias() {
        return;
    }
    // A key that ends in "image" may hold anything; only what is written under `image` itself has to be a text.
    let is_text = value.string().is_some();
    if !is_text && key.scalar() != Some("image") {
        return;
    }
    let Some(image) = found.text_of(value, &path.0) else {
        return;
    };
    let has_version = image.contains('@')
        || reference::canonicalise(image, false).is_ok_and(|c| c.reference.tag().is_some());
    if !has_version {
        let beside = ["tag", "imageTag", "image_tag"]
            .iter()
            .find_map(|name| map.get(name));
        if let Some(tag) = beside {
            let values = Values {
                is_own: true,
                registry: None,
                repository: value,
                tag: Some(tag),
                digest: map.get("digest"),
            };
            parts(&values, path, found);
            return;
        }
        // A word under `image` that names no version is as likely a file or a theme as an image.
        if !image.contains('/') {
            return;
        }
    }
    if Reference::parse(&image.to_ascii_lowercase()).is_err() && !has_version {
        return;
    }
    found.whole(value, path.0, None, false);
}

/// A map with `repository`, its own or that of the chart's own values; tells whether it is one of an image.
fn map<'y, 't>(
    node: View<'y, 't>,
    base: Option<View<'y, 't>>,
    path: &Path,
    found: &mut Found,
) -> bool {
    let repository_of = |node: View<'y, 't>| {
        node.get("repository")
            .filter(|view| view.scalar().is_some())
    };
    let is_own = repository_of(node).is_some();
    let inherits = || node.get("tag").and(base).and_then(repository_of);
    let Some(repository) = repository_of(node).or_else(inherits) else {
        return false;
    };
    // Charts of charts and of git repositories have a `repository` too: a URL.
    let is_url = repository.scalar().is_some_and(|text| text.contains("://"));
    let has = |key: &&str| node.get(key).is_some();
    let has_more = ["tag", "digest", "sha", "registry", "pullPolicy"]
        .iter()
        .any(has);
    let is_named = path.0.rsplit('.').next().is_some_and(is_image);
    if is_url || !(has_more || is_named) {
        return false;
    }
    let registry = node
        .get("registry")
        .or_else(|| base.filter(|_| !is_own)?.get("registry"));
    let values = Values {
        is_own,
        registry: registry.filter(|registry| !is_empty(*registry)),
        repository,
        tag: node.get("tag"),
        digest: node.get("digest"),
    };
    parts(&values, path.clone(), found);
    true
}

fn parts(values: &Values<'_, '_>, path: Path, found: &mut Found) {
    let tag = values.tag.filter(|tag| !is_empty(*tag));
    let Some((image, versioned)) = joined(values, tag, &path, found) else {
        return;
    };
    let Some(repository) = Spot::of(values.repository) else {
        return;
    };
    let place = tag.unwrap_or(values.repository).meant().place();
    if !versioned {
        found.remarks.push(Remark {
            path: path.0.clone(),
            place,
            said: format!("{image} has no tag here, the chart chooses it; not pinned"),
            wrong: false,
        });
    }
    found.mentions.push(Mention {
        path: path.0,
        object: None,
        place,
        image,
        stays_unpinned: !versioned,
        parts: Parts::Values(Box::new(writing::Values {
            is_own: values.is_own,
            registry: values.registry.and_then(Spot::of),
            repository,
            tag: tag.and_then(Spot::of),
            digest: values.digest.and_then(Spot::of),
        })),
    });
}

/// The reference that the chart will make of its parts, and whether it has a version; `None` where a part is no text.
fn joined(
    values: &Values<'_, '_>,
    tag: Option<View<'_, '_>>,
    path: &Path,
    found: &mut Found,
) -> Option<(String, bool)> {
    let repository = found.text_of(values.repository, &path.key("repository").0)?;
    let mut image = String::new();
    if let Some(registry) = values.registry {
        image.push_str(found.text_of(registry, &path.key("registry").0)?);
        image.push('/');
    }
    image.push_str(repository);
    let mut versioned = reference::canonicalise(repository, false)
        .is_ok_and(|c| c.reference.tag().is_some() || c.reference.digest().is_some());
    let digest = values.digest.filter(|digest| !is_empty(*digest));
    for (part, mark, key) in [(tag, ':', "tag"), (digest, '@', "digest")] {
        if let Some(value) = part {
            image.push(mark);
            image.push_str(found.text_of(value, &path.key(key).0)?);
            versioned = true;
        }
    }
    Some((image, versioned))
}

fn is_empty(view: View<'_, '_>) -> bool {
    view.is_null() || view.scalar().is_some_and(str::is_empty)
}
