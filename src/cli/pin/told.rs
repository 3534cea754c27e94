//! One image: what is written in its place, and what is told of it.

use super::{
    Style,
    changing::{Answer, Answers, Changing},
    inputs::Input,
    report::{Change, Level, Report},
};
use crate::{
    cli::asking::{Answered, Unanswered},
    domain::{
        assess::{Left, Verdict},
        git_sha,
        mentions::{Mention, Wanted},
        policy::Cause,
        reference::Canonical,
        yaml::edit::Edit,
    },
};

/// An image, and the report that hears of it.
pub(super) struct Told<'a> {
    pub(super) changing: &'a Changing,
    pub(super) input: &'a Input,
    pub(super) mention: &'a Mention,
    pub(super) report: &'a mut Report,
}

impl Told<'_> {
    /// The edits that bring it into canonical form and pin it; none where it stays as it is.
    pub(super) fn edits(mut self, answers: &Answers) -> Vec<Edit> {
        let image = &self.mention.image;
        match self.changing.assess(self.mention).verdict {
            Verdict::Invalid(error) => {
                let said = format!("{image:?} is no image that a node would run: {error}");
                self.unpinned(Cause::Invalid, said);
                Vec::new()
            }
            Verdict::Left(_, Left::ShortName | Left::ShortNameDenied) => {
                let said = format!(
                    "{image} names no registry and is left as it is; write its host in front"
                );
                self.find(Level::Warning, said);
                Vec::new()
            }
            Verdict::Left(canonical, _) => self.write(&Wanted::canonical(&canonical)),
            Verdict::Ask(canonical) => match answers.get(canonical.text.as_str()) {
                Some(answer) => self.answered(&canonical, answer),
                None => Vec::new(),
            },
        }
    }

    fn answered(&mut self, canonical: &Canonical, answer: &Answer) -> Vec<Edit> {
        match &answer.outcome {
            Ok(answered) => self.pinned(canonical, answered),
            Err(unanswered) => {
                let cause = match unanswered {
                    Unanswered::Failed(failure) => failure.cause,
                    Unanswered::NoCredential(_) => Cause::Unauthorized,
                };
                self.unpinned(cause, format!("{}: {unanswered}", canonical.text));
                self.report.suggest(answer.suggestions.clone());
                self.write(&Wanted::canonical(canonical))
            }
        }
    }

    fn pinned(&mut self, canonical: &Canonical, answered: &Answered) -> Vec<Edit> {
        let (digest, sha_tag) = (
            &answered.resolved.digest,
            answered.resolved.sha_tag.as_deref(),
        );
        let style = self.changing.style;
        let own_tag = canonical.reference.tag();
        let kept_tag = own_tag.filter(|_| self.changing.policy.pin.keep_tag);
        let is_sha = own_tag.is_some_and(git_sha::is_git_sha);
        if style != Style::Digest && sha_tag.is_none() && !is_sha {
            let said = format!(
                "no git-SHA tag is proven to be {}; pinned by its digest",
                canonical.text
            );
            self.find(Level::Note, said);
        }
        let (tag, digest) = match (style, sha_tag) {
            (Style::GitSha, Some(_)) => (sha_tag, None),
            (Style::GitShaDigest, Some(_)) => (sha_tag, Some(digest)),
            _ => (kept_tag, Some(digest)),
        };
        self.write(&Wanted {
            canonical,
            tag,
            digest,
        })
    }

    fn write(&mut self, wanted: &Wanted<'_>) -> Vec<Edit> {
        let Some(edits) = self.mention.edits(wanted) else {
            let said = format!(
                "{} cannot be written here; write the image on one line",
                wanted.text()
            );
            self.find(Level::Warning, said);
            return Vec::new();
        };
        if !edits.is_empty() {
            let mention = self.mention;
            self.report.changes.push(Change {
                file: self.input.name.clone(),
                line: mention.place.line,
                column: mention.place.column,
                path: mention.path.clone(),
                object: mention.object.clone(),
                from: mention.image.clone(),
                to: wanted.text(),
            });
        }
        edits
    }

    fn find(&mut self, level: Level, said: String) {
        let mention = self.mention;
        let (file, place) = (&self.input.name, Some(mention.place));
        self.report.find(file, place, &mention.path, level, said);
    }

    fn unpinned(&mut self, cause: Cause, said: String) {
        let mention = self.mention;
        let file = &self.input.name;
        self.report
            .unpinned(file, mention.place, &mention.path, cause, said);
    }
}
