//! What `cotter tags` prints for people.

use std::io::Write;

use super::{TagReport, TagsReport};
use crate::cli::output::{self, BAD, FAINT, GOOD, moment, short};

/// Figures of a commit that are shown; a tag of it may have a prefix before them.
const COMMIT: usize = 12;

/// Prints the tags to stdout, and what is missing of them to stderr.
pub(super) fn print(report: &TagsReport) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    if let Some(trouble) = &report.error {
        writeln!(out, "{}", report.repository)?;
        writeln!(out, "  {BAD}{}{BAD:#}", trouble.message)?;
        for remedy in trouble.remedy.split("; ") {
            writeln!(out, "  {remedy}")?;
        }
        return Ok(());
    }
    let names = report.tags.iter().map(|tag| tag.tag.len());
    let width = names.max().unwrap_or_default().max("TAG".len());
    if !report.tags.is_empty() {
        let (tag, digest, created, commit) = ("TAG", "DIGEST", "CREATED", "GIT SHA");
        writeln!(
            out,
            "{tag:width$}  {digest:12}  {created:16}  {commit:16}  SAME AS"
        )?;
    }
    for tag in &report.tags {
        writeln!(out, "{}", line(tag, width).trim_end())?;
    }
    drop(out);
    notes(report)
}

fn notes(report: &TagsReport) -> anyhow::Result<()> {
    let (shown, matching) = (report.tags.len(), report.matching);
    if matching == 0 {
        output::note("no tag matches")?;
    } else if shown < matching {
        let line =
            format!("{shown} of {matching} tags are shown; --limit shows more, --match others");
        output::note(&line)?;
    }
    if !report.complete {
        output::note(
            "the registry's list is too long to be read to its end; its last tags are not known here",
        )?;
    }
    if report.tags.iter().any(is_claimed) {
        output::note(
            "?: the image itself names this commit, and no tag of the commit proves that",
        )?;
    }
    Ok(())
}

fn line(tag: &TagReport, width: usize) -> String {
    let name = tag.tag.as_str();
    let digest = tag.digest.as_deref().map(short).unwrap_or_default();
    let date = tag.pushed.or(tag.created).map(moment).unwrap_or_default();
    let commit = match (&tag.git_sha, &tag.git_sha_tag) {
        (Some(commit), _) => {
            let mark = if is_claimed(tag) { "?" } else { "" };
            format!("{}{mark}", commit.get(..COMMIT).unwrap_or(commit))
        }
        (None, Some(tag)) => tag.chars().take(COMMIT + "git-".len()).collect(),
        (None, None) => String::new(),
    };
    let rest = match (&tag.problem, tag.is_latest) {
        (Some(problem), _) => format!("{BAD}{problem}{BAD:#}"),
        (None, Some(true)) if name != "latest" => format!("{GOOD}latest{GOOD:#}"),
        _ => String::new(),
    };
    format!("{name:width$}  {FAINT}{digest:12}{FAINT:#}  {date:16}  {commit:16}  {rest}")
}

/// Whether only the image itself says what its commit is.
fn is_claimed(tag: &TagReport) -> bool {
    tag.git_sha.is_some() && tag.git_sha_tag.is_none()
}
