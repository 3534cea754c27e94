//! How an image is written anew where it stands.

use super::Mention;
use crate::domain::{
    digest::Digest,
    reference::Canonical,
    yaml::{EntryEnd, Spot, edit::Edit},
};

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
#[derive(Clone, Debug)]
pub(super) enum Parts {
    /// One scalar holds all of it.
    Whole(Spot),
    /// Values of a chart.
    Values(Box<Values>),
    /// An entry of a kustomization.
    Entry(Box<Entry>),
}

/// `registry`, `repository`, `tag` and `digest`.
#[derive(Clone, Debug)]
pub(super) struct Values {
    /// Registry and repository stand in this text, and not in the chart's own values.
    pub(super) is_own: bool,
    pub(super) registry: Option<Spot>,
    pub(super) repository: Spot,
    /// A tag that is not empty.
    pub(super) tag: Option<Spot>,
    pub(super) digest: Option<Spot>,
}

/// `name`, `newName`, `newTag` and `digest`; `last` is what a new key is written behind.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: Option<Spot>,
    pub(super) new_name: Option<Spot>,
    pub(super) tag: Option<Spot>,
    pub(super) digest: Option<Spot>,
    pub(super) last: EntryEnd,
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

impl Mention {
    /// The edits that make it `wanted`; none if it is that already. `None` if there is no spelling for it where it stands.
    #[must_use]
    pub fn edits(&self, wanted: &Wanted<'_>) -> Option<Vec<Edit>> {
        match &self.parts {
            Parts::Whole(spot) => rewrite(spot, &wanted.text()),
            Parts::Values(values) => values.edits(wanted),
            Parts::Entry(entry) => entry.edits(wanted),
        }
    }
}

impl Values {
    fn edits(&self, wanted: &Wanted<'_>) -> Edits {
        let mut edits = Vec::new();
        let mut repository = wanted.canonical.spelled_repository();
        if let Some(registry) = self.registry.as_ref().filter(|_| self.is_own) {
            // Only letters change their case, so what the chart joins is what was parsed.
            let lowered = registry.value()?.to_ascii_lowercase();
            let rest = repository.strip_prefix(&*lowered);
            repository = rest.and_then(|rest| rest.strip_prefix('/'))?;
            edits.extend(rewrite(registry, &lowered)?);
        }
        let mut digest = wanted.digest;
        if let (Some(place), Some(written)) = (&self.digest, digest) {
            edits.extend(rewrite(place, written.as_str())?);
            digest = None;
        }
        if let Some(place) = &self.tag {
            if self.is_own {
                edits.extend(rewrite(&self.repository, repository)?);
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
            edits.extend(rewrite(&self.repository, &whole)?);
        }
        Some(edits)
    }
}

impl Entry {
    fn edits(&self, wanted: &Wanted<'_>) -> Edits {
        let mut edits = Vec::new();
        let repository = wanted.canonical.spelled_repository();
        match (&self.new_name, &self.name) {
            (Some(place), _) => edits.extend(rewrite(place, repository)?),
            (None, Some(name)) if name.value()? != repository => {
                edits.push(self.last.add("newName", repository)?);
            }
            _ => {}
        }
        if let (Some(place), Some(tag)) = (&self.tag, wanted.tag) {
            edits.extend(rewrite_here(place, tag)?);
        }
        if let Some(digest) = wanted.digest {
            match &self.digest {
                Some(place) => edits.extend(rewrite(place, digest.as_str())?),
                None => edits.push(self.last.add("digest", digest.as_str())?),
            }
        }
        Some(edits)
    }
}

/// No edit where the text is there already.
fn rewrite(spot: &Spot, text: &str) -> Edits {
    if spot.value() == Some(text) {
        return Some(Vec::new());
    }
    spot.write(text).map(|edit| vec![edit])
}

/// A tag that an alias names may be a version that labels show, too: the alias gives way, what it names stays.
fn rewrite_here(spot: &Spot, text: &str) -> Edits {
    if spot.value() == Some(text) {
        return Some(Vec::new());
    }
    spot.write_here(text).map(|edit| vec![edit])
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
