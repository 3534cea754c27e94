//! How outcomes read to the people who see them.

use super::{
    policy::Cause,
    question::OwnIdentity,
    reference::ReferenceError,
    slots::Slot,
    warning::{LONGEST, short_reference, shorten},
};

/// Characters of a reference in a sentence; the slot's name and the reason need the rest of the 200.
const LONGEST_REFERENCE: usize = 80;

/// A reference as it stands in a sentence.
#[must_use]
pub fn shown(text: &str) -> String {
    shorten(short_reference(text), LONGEST_REFERENCE)
}

/// Why a slot stayed unpinned, and what to do. `notFound` and `unauthorized` read alike, so that nobody learns from
/// it which private tags exist; `unavailable` names no address, port or time.
#[must_use]
pub fn failure(slot: &Slot<'_>, text: &str, cause: Cause, own: Option<OwnIdentity>) -> String {
    let image = shown(text);
    if let Some(own) = own {
        return format!("{slot}: {image} not pinned: {}", own_identity(own));
    }
    let why = match cause {
        Cause::Invalid => "not a valid image reference",
        Cause::NotFound | Cause::Unauthorized => {
            "no such tag, or no access to it; check the tag and the pull secret"
        }
        Cause::Unavailable => "its registry is not reachable; the tag stays until it answers",
        Cause::Refused => {
            "its registry is refused here; it has to be listed under registries in cotter's configuration"
        }
    };
    format!("{slot}: {image} not pinned: {why}")
}

/// What stopped cotter's own identity. Which one that is, and what it lacks, its operator reads in the log.
fn own_identity(own: OwnIdentity) -> String {
    match own {
        OwnIdentity::Awaited(cloud) => {
            format!("cotter still waits for a login from {cloud}; create it again in a moment")
        }
        OwnIdentity::Refused(cloud) => {
            format!("cotter gets no login from {cloud}; its operator sees why in its log")
        }
        OwnIdentity::TurnedAway(cloud) => {
            format!(
                "no such tag, or cotter's own {cloud} identity may not read it; ask its operator"
            )
        }
    }
}

/// The build that the siblings of a Pod run was deleted.
#[must_use]
pub fn gone(slot: &Slot<'_>) -> String {
    format!(
        "{slot}: its registry no longer has the digest that its siblings run; the tag was resolved anew"
    )
}

/// Why a reference cannot be parsed.
#[must_use]
pub fn invalid(slot: &Slot<'_>, error: &ReferenceError) -> String {
    format!("{slot}: image {:?} is invalid: {error}", shown(slot.image))
}

/// The command that would make the missing pull secret for this host.
#[must_use]
pub fn create_secret(host: &str, namespace: &str) -> String {
    let server = if host == "docker.io" {
        "https://index.docker.io/v1/"
    } else {
        host
    };
    let command = format!(
        "kubectl create secret docker-registry NAME -n {namespace} --docker-server={server}"
    );
    let whole = format!(
        "no pull secret for {host}: {command} --docker-username=USER --docker-password=TOKEN"
    );
    // A command that is cut within its options would be copied and fail.
    if whole.len() <= LONGEST {
        whole
    } else {
        format!("no pull secret: {command} --docker-username … --docker-password …")
    }
}
