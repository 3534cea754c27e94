//! What `cotter resolve` prints for people.

use std::io::Write;

use super::report::{
    Evidence, GitSha, ImageReport, ImmutableBy, Kubelet, Outcome, PlatformReport, WayReport,
};
use crate::cli::output::{BAD, FAINT, GOOD, moment, printable, short, size};

/// Width of the first column.
const LABEL: usize = 12;

/// Prints all images to stdout.
pub(super) fn print(images: &[ImageReport]) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    for (at, image) in images.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        write!(out, "{}", of(image))?;
    }
    Ok(())
}

/// One image: its text, then a line for each thing that is known.
fn of(image: &ImageReport) -> String {
    let mut lines = vec![printable(&image.image)];
    let mut line = |label: &str, value: String| {
        lines.push(format!("  {label:LABEL$}{value}"));
    };
    if let (Some(canonical), Some(reference)) = (&image.canonical, &image.reference) {
        line("canonical", canonical.clone());
        if canonical != reference {
            line("means", reference.clone());
        }
    }
    line("kubelet", kubelet(&image.kubelet));
    if let Some(mutable) = image.mutable {
        line("mutable", mutability(mutable, image.immutable_by));
    }
    if let Some(digest) = &image.digest {
        line("digest", format!("{GOOD}{digest}{GOOD:#}"));
    }
    if let Some(git_sha) = &image.git_sha {
        line("git SHA", commit(git_sha));
    }
    if let Some(created) = image.created {
        line("created", format!("{} UTC", moment(created)));
    }
    for (at, one) in image.platforms.iter().enumerate() {
        line(if at == 0 { "platforms" } else { "" }, platform(one));
    }
    if let Some(why) = &image.incomplete {
        line("the rest", format!("cannot be read: {why}"));
    }
    for (at, one) in image.ways.iter().enumerate() {
        line(if at == 0 { "credential" } else { "" }, way(at + 1, one));
    }
    if let Some(trouble) = &image.error {
        // Whoever was asked has said it already.
        if image.ways.is_empty() {
            line("error", format!("{BAD}{}{BAD:#}", trouble.message));
        }
        for (at, remedy) in trouble.remedy.split("; ").enumerate() {
            line(if at == 0 { "to do" } else { "" }, remedy.to_owned());
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn kubelet(kubelet: &Kubelet) -> String {
    match (kubelet.accepts, &kubelet.problem) {
        (true, None) => "accepts it as it is written".to_owned(),
        (true, Some(problem)) => format!("{BAD}accepts it, but {problem}{BAD:#}"),
        (false, problem) => {
            let why = problem.as_deref().unwrap_or_default();
            format!("{BAD}refuses it as it is written: {why}{BAD:#}")
        }
    }
}

fn mutability(mutable: bool, because: Option<ImmutableBy>) -> String {
    let why = match because {
        _ if mutable => return "yes: tomorrow the tag may be another image".to_owned(),
        Some(ImmutableBy::Digest) => "it has a digest",
        Some(ImmutableBy::GitSha) => "the tag is a git SHA",
        Some(ImmutableBy::Policy) | None => "the policy declares such tags immutable",
    };
    format!("no: {why}")
}

fn commit(git_sha: &GitSha) -> String {
    let GitSha {
        commit,
        evidence,
        name,
        tag,
    } = git_sha;
    let place = match evidence {
        Evidence::IndexAnnotation => "index annotation",
        Evidence::ManifestAnnotation => "manifest annotation",
        Evidence::ConfigLabel => "config label",
    };
    let proof = match tag {
        Some(tag) => format!("the tag {tag} is this very image"),
        None => "no tag of it proves that".to_owned(),
    };
    format!("{commit} {FAINT}({place} {name}; {proof}){FAINT:#}")
}

fn platform(one: &PlatformReport) -> String {
    let name = one.platform.as_deref().unwrap_or("not said");
    let bytes = one.size.map(size).unwrap_or_default();
    let digest = short(&one.digest);
    format!("{name:16}{bytes:>9}  {FAINT}{digest}{FAINT:#}")
}

fn way(number: usize, way: &WayReport) -> String {
    let who = &way.credential.shown;
    let detail = way.detail.as_deref().unwrap_or_default();
    match way.outcome {
        Outcome::Answered => format!("{number}. {who}: {GOOD}answered{GOOD:#}"),
        Outcome::NotAsked => format!("{number}. {who}: {FAINT}not asked{FAINT:#}"),
        _ => format!("{number}. {who}: {BAD}{detail}{BAD:#}"),
    }
}
