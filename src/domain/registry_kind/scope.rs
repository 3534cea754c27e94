//! The owner that a credential is for, and the `auths` key that matches its images and no others.

use super::{Field, Hint, Problem, address::Address};
use crate::domain::reference::Reference;

/// The path that the images of `owner` begin with, below the path of the address; empty where it is every image. Without
/// slashes at its ends.
pub(super) fn of(
    owner: Option<&str>,
    address: Option<&Address>,
    host: &str,
    notes: &mut Vec<Hint>,
) -> Result<String, Problem> {
    let path = address.map_or("", |address| &address.path);
    let Some(owner) = owner else {
        let field = address.map_or(Field::Host, |address| address.field.clone());
        return checked(path.to_owned(), field);
    };
    let lower = owner.trim_matches('/').to_ascii_lowercase();
    let problem = |text: String| Err(Problem::new(Field::Owner, text));
    if lower.is_empty() {
        return problem("empty: leave it out for all images of the host".to_owned());
    }
    if lower.contains("://") || lower == host || lower.starts_with(&format!("{host}/")) {
        return problem(format!(
            "an owner is what follows the host in an image: leave {host} out of it"
        ));
    }
    if lower.contains(['*', '?', '[']) {
        return problem("an owner has no wildcards: write a Registry for each owner".to_owned());
    }
    if lower.contains([':', '@']) {
        return problem("an owner has no tag and no digest: leave it out".to_owned());
    }
    let scope = if path.is_empty() || path == lower {
        lower.clone()
    } else {
        format!("{path}/{lower}")
    };
    let scope = checked(scope, Field::Owner)?;
    let written = owner.trim_matches('/');
    if written != lower {
        notes.push(Hint::new(
            Field::Owner,
            format!("{written} is lowered to {lower}, since images are in lower case"),
        ));
    }
    Ok(scope)
}

/// The `auths` key of a host's images below `scope`. It ends with a slash, or the kubelet would match `scope-other` too
/// (facts §1.1 rule 3).
pub(super) fn key(host: &str, scope: &str) -> String {
    match scope.split('/').next() {
        None | Some("") => host.to_owned(),
        // The kubelet takes one /v1/ or /v2/ off the front of the path (rule 2): without another one in front, the key
        // would match every image of the host.
        Some("v1" | "v2") => format!("{host}/v2/{scope}/"),
        Some(_) => format!("{host}/{scope}/"),
    }
}

/// Whether some image's path begins so.
fn checked(scope: String, field: Field) -> Result<String, Problem> {
    let image = format!("registry.test/{scope}/x");
    if scope.is_empty() || Reference::parse(&image).is_ok_and(|image| image.tag().is_none()) {
        return Ok(scope);
    }
    let text = "no image's path begins so: letters and figures, joined by single dots, one or two underscores, dashes or \
                slashes";
    Err(Problem::new(field, text))
}
