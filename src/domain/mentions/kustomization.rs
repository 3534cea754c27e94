//! `images:` of a kustomization: which name becomes which image.

use super::{
    Found, Mention, Path,
    writing::{Entry, Parts},
};
use crate::domain::yaml::{EntryEnd, Spot, View};

pub(super) fn find(root: View<'_, '_>, found: &mut Found) {
    let images = root.get("images").into_iter().flat_map(View::items);
    for (index, item) in images.enumerate() {
        let path = Path::default().key("images").index(index);
        image(item, &path, found);
    }
}

fn image<'y, 't>(item: View<'y, 't>, path: &Path, found: &mut Found) {
    let entry = |key: &str| {
        let mut entries = item.entries();
        entries.find(|(name, value)| name.scalar() == Some(key) && !value.is_null())
    };
    let mut text = |key: &str, entry: Option<(View<'y, 't>, View<'y, 't>)>| {
        let (_, value) = entry?;
        found.text_of(value, &path.key(key).0)
    };
    let (name, new_name) = (entry("name"), entry("newName"));
    let (tag, digest) = (entry("newTag"), entry("digest"));
    let Some(repository) = text("newName", new_name).or_else(|| text("name", name)) else {
        return;
    };
    let (tag_text, digest_text) = (text("newTag", tag), text("digest", digest));
    let mut image = repository.to_owned();
    for (mark, part) in [(":", tag_text), ("@", digest_text)] {
        if let Some(part) = part {
            image.push_str(mark);
            image.push_str(part);
        }
    }
    // Without either, the tag is whatever the manifests say.
    let Some(last) = (if tag_text.is_some() {
        tag
    } else {
        digest_text.and(digest)
    }) else {
        return;
    };
    let Some(end) = EntryEnd::of(item, last) else {
        return;
    };
    let spot = |entry: Option<(View<'y, 't>, View<'y, 't>)>| Spot::of(entry?.1);
    found.mentions.push(Mention {
        path: path.0.clone(),
        object: None,
        place: last.1.meant().place(),
        image,
        stays_unpinned: false,
        parts: Parts::Entry(Box::new(Entry {
            name: spot(name),
            new_name: spot(new_name),
            tag: spot(tag),
            digest: spot(digest),
            last: end,
        })),
    });
}
