//! The images that a file names, and how each is written anew: Kubernetes manifests, Helm values, kustomizations and
//! Compose files.

mod compose;
mod dialect;
mod helm_values;
mod kubernetes;
mod kustomization;
mod writing;

use std::fmt::Write as _;

use self::writing::Parts;
pub use self::{dialect::Dialect, writing::Wanted};
use super::yaml::{Place, Spot, View, Yaml};

/// An image that a text names.
#[derive(Clone, Debug)]
pub struct Mention {
    /// Where in its document: `spec.containers[0].image`.
    pub path: String,
    /// The object that it belongs to, `Deployment/web`, where there is one.
    pub object: Option<String>,
    /// Where the text stands that names it.
    pub place: Place,
    /// The reference, put together where it is written in parts.
    pub image: String,
    /// Nothing is pinned here: the image is never pulled and has only its tag, or its version stands elsewhere.
    pub stays_unpinned: bool,
    parts: Parts,
}

/// Something else to say of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where in its document.
    pub path: String,
    /// Where in the text.
    pub place: Place,
    /// What, and what to do.
    pub said: String,
    /// Whether it is a mistake, and not merely left alone.
    pub wrong: bool,
}

/// What was found in a text.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The images, in the order of the text.
    pub mentions: Vec<Mention>,
    /// What else there is to say.
    pub remarks: Vec<Remark>,
}

/// Where a walk is.
#[derive(Clone, Debug, Default)]
struct Path(String);

/// What is known of a text beside itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a, 'y, 't> {
    /// The name of its file, without a directory.
    pub file_name: Option<&'a str>,
    /// What somebody said that it is; in the place of what name and content tell.
    pub told: Option<Dialect>,
    /// Somebody named the file itself, so that what looks like nothing else is taken for Helm values.
    pub named: bool,
    /// The chart's own values, which these values complete.
    pub base: Option<View<'y, 't>>,
}

/// Whether a file of this name has Helm values that complete those of `values.yaml` beside it.
#[must_use]
pub fn completes_values(file_name: &str) -> bool {
    dialect::completes_values(file_name)
}

/// Finds the images of all documents of a text.
#[must_use]
pub fn find<'y, 't>(yaml: &'y Yaml<'t>, about: About<'_, 'y, 't>) -> Found {
    let mut found = Found::default();
    for root in yaml.documents() {
        let dialect = about
            .told
            .or_else(|| Dialect::of(about.file_name, root, about.named));
        match dialect {
            Some(Dialect::Kubernetes) => kubernetes::find(root, &mut found),
            Some(Dialect::HelmValues) => helm_values::find(root, about.base, &mut found),
            Some(Dialect::Kustomization) => kustomization::find(root, &mut found),
            Some(Dialect::Compose) => compose::find(root, &mut found),
            None => {}
        }
    }
    found.mentions.sort_by_key(|mention| mention.place);
    found
}

// === impl Found ===

impl Found {
    /// A scalar that holds a whole reference.
    fn whole(
        &mut self,
        scalar: View<'_, '_>,
        path: String,
        object: Option<String>,
        stays_unpinned: bool,
    ) {
        let image = self.text_of(scalar, &path).map(str::to_owned);
        if let Some((image, spot)) = image.zip(Spot::of(scalar)) {
            self.mentions.push(Mention {
                path,
                object,
                place: scalar.meant().place(),
                image,
                stays_unpinned,
                parts: Parts::Whole(spot),
            });
        }
    }

    /// The text of a scalar that should be one; says so where it is none, or where it is filled in later.
    fn text_of<'y>(&mut self, scalar: View<'y, '_>, path: &str) -> Option<&'y str> {
        let remark = |said: &str, wrong| Remark {
            path: path.to_owned(),
            place: scalar.meant().place(),
            said: said.to_owned(),
            wrong,
        };
        let Some(text) = scalar.string() else {
            let said = match scalar.scalar() {
                Some(_) if scalar.is_null() => return None,
                Some(written) => format!(
                    "{written} is no text to YAML, but a number or a truth value; put it in quotes"
                ),
                None => "this should be a text".to_owned(),
            };
            self.remarks.push(remark(&said, true));
            return None;
        };
        let text = text.trim();
        if text.contains("{{") || text.contains("${") || text.contains("$(") {
            let said = format!("{text:?} is filled in later and left alone");
            self.remarks.push(remark(&said, false));
            return None;
        }
        (!text.is_empty()).then_some(text)
    }
}

// === impl Path ===

impl Path {
    fn key(&self, key: &str) -> Self {
        let mut path = self.0.clone();
        if key.is_empty() || key.contains(['.', '[', ' ']) {
            let _ = write!(path, "[{key:?}]");
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
        }
        Self(path)
    }

    fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

#[cfg(test)]
mod tests;
