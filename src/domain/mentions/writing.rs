//! How an image is written anew where it stands.

use super::Mention;
use crate::domain::{
    digest::Digest,
    reference::Canonical,
    yaml::{
        View,
        edit::{self, Edit},
    },
};

/// A key and its value.
pub(super) type Key<'y, 't> = (View<'y, 't>, View<'y, 't>);

/// What an image shall be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Its canonical form.
    pub canonical: &'a Canonical,
    /// The tag that is written.
    pub tag: Option<&'a str>,
    /// The digest that is written.
    pub digest: Option<&'a Digest>,
}

/// Where the parts of a reference stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parts<'y, 't> {
    /// One scalar holds all of it.
    Whole(View<'y, 't>),
    /// Values of a chart.
    Values(Values<'y, 't>),
    /// An entry of a kustomization.
    Entry(Entry<'y, 't>),
}

/// `registry`, `repository`, `tag` and `digest`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'y, 't> {
    /// Registry and repository stand in this text, and not in the chart's own values.
    pub(super) is_own: bool,
    pub(super) registry: Option<View<'y, 't>>,
    pub(super) repository: View<'y, 't>,
    pub(super) tag: Option<Key<'y, 't>>,
    pub(super) digest: Option<Key<'y, 't>>,
}

/// `name`, `newName`, `newTag` and `digest`; `last` is what a new key is written behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'y, 't> {
    pub(super) item: View<'y, 't>,
    pub(super) name: Option<Key<'y, 't>>,
    pub(super) new_name: Option<Key<'y, 't>>,
    pub(super) tag: Option<Key<'y, 't>>,
    pub(super) digest: Option<Key<'y, 't>>,
    pub(super) last: Key<'y, 't>,
}

/// The edits of one mention; `None` where a text cannot be written in its place.
type Edits = Option<Vec<Edit>>;

// === impl Wanted ===

impl<'a> Wanted<'a> {
    /// The image with the tag and the digest that it has.
    #[must_use]
    pub fn canonical(canonical: &'a Canonical) -> Self {
        Self {
            canonical,
            tag: canonical.reference.tag(),
            digest: canonical.reference.digest(),
        }
    }

    /// The whole reference.
    #[must_use]
    pub fn text(&self) -> String {
        with_version(self.canonical.spelled_repository(), self.tag, self.digest)
    }
}

// === impl Mention ===

impl Mention<'_, '_> {
    /// The edits that make it `wanted`; none if it is that already. `None` if there is no spelling for it where it stands.
    #[must_use]
    pub fn edits(&self, wanted: &Wanted<'_>) -> Option<Vec<Edit>> {
        match &self.parts {
            Parts::Whole(scalar) => rewrite(*scalar, &wanted.text()),
            Parts::Values(values) => values.edits(wanted),
            Parts::Entry(entry) => entry.edits(wanted),
        }
    }
}

impl Values<'_, '_> {
    fn edits(&self, wanted: &Wanted<'_>) -> Edits {
        let mut edits = Vec::new();
        let mut repository = wanted.canonical.spelled_repository();
        if let Some(registry) = self.registry.filter(|_| self.is_own) {
            // Only letters change their case, so what the chart joins is what was parsed.
            let lowered = registry.string()?.trim().to_ascii_lowercase();
            let rest = repository.strip_prefix(&*lowered);
            repository = rest.and_then(|rest| rest.strip_prefix('/'))?;
            edits.extend(rewrite(registry, &lowered)?);
        }
        let tag = self.tag.filter(|(_, tag)| !is_empty(*tag));
        let mut digest = wanted.digest;
        if let (Some((_, place)), Some(written)) = (self.digest, digest) {
            edits.extend(rewrite(place, written.as_str())?);
            digest = None;
        }
        if let Some((_, place)) = tag {
            if self.is_own {
                edits.extend(rewrite(self.repository, repository)?);
            }
            // A chart writes `repository:tag`, so a digest alone has no place.
            let tag = wanted.tag.or_else(|| wanted.canonical.reference.tag())?;
            let version = match digest {
                Some(digest) => format!("{tag}@{digest}"),
                None => tag.to_owned(),
            };
            edits.extend(rewrite_here(place, &version)?);
        } else if self.is_own {
            let whole = with_version(repository, wanted.tag, digest);
            edits.extend(rewrite(self.repository, &whole)?);
        }
        Some(edits)
    }
}

impl Entry<'_, '_> {
    fn edits(&self, wanted: &Wanted<'_>) -> Edits {
        let mut edits = Vec::new();
        let repository = wanted.canonical.spelled_repository();
        match (self.new_name, self.name) {
            (Some((_, place)), _) => edits.extend(rewrite(place, repository)?),
            (None, Some((_, name))) if name.string()?.trim() != repository => {
                edits.push(edit::add_behind(
                    self.item, self.last, "newName", repository,
                )?);
            }
            _ => {}
        }
        if let (Some((_, place)), Some(tag)) = (self.tag, wanted.tag) {
            edits.extend(rewrite_here(place, tag)?);
        }
        if let Some(digest) = wanted.digest {
            match self.digest {
                Some((_, place)) => edits.extend(rewrite(place, digest.as_str())?),
                None => edits.push(edit::add_behind(
                    self.item,
                    self.last,
                    "digest",
                    digest.as_str(),
                )?),
            }
        }
        Some(edits)
    }
}

/// No edit where the text is there already.
fn rewrite(scalar: View<'_, '_>, text: &str) -> Edits {
    if is_there(scalar, text) {
        return Some(Vec::new());
    }
    edit::write(scalar, text).map(|edit| vec![edit])
}

/// A tag that an alias names may be a version that labels show, too: the alias gives way, what it names stays.
fn rewrite_here(scalar: View<'_, '_>, text: &str) -> Edits {
    if is_there(scalar, text) {
        return Some(Vec::new());
    }
    edit::write_here(scalar, text).map(|edit| vec![edit])
}

fn is_there(scalar: View<'_, '_>, text: &str) -> bool {
    scalar
        .string()
        .is_some_and(|written| written.trim() == text)
}

fn with_version(repository: &str, tag: Option<&str>, digest: Option<&Digest>) -> String {
    let mut text = repository.to_owned();
    if let Some(tag) = tag {
        text.push(':');
        text.push_str(tag);
    }
    if let Some(digest) = digest {
        text.push('@');
        text.push_str(digest.as_str());
    }
    text
}

fn is_empty(view: View<'_, '_>) -> bool {
    view.is_null() || view.scalar().is_some_and(str::is_empty)
}
