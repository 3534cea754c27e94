//! From texts to changed texts: what is named in them, asked once each, written where it stood.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt as _, stream};

use super::{
    Style,
    inputs::{Input, Text},
    report::{Level, Report},
    told::Told,
};
use crate::{
    cli::asking::{Answered, Asker, Unanswered},
    domain::{
        assess::{self, Assessed, Verdict},
        mentions::{self, About, Dialect, Found, Mention},
        policy::{Cause, PinStyle, Policy},
        reference::Canonical,
        slots::{List, Slot},
        yaml::{Yaml, edit},
    },
};

/// Images that are asked about at once; the client gives each host no more than its own limit.
const AT_ONCE: usize = 64;

/// How texts are changed.
pub(in crate::cli) struct Changing {
    pub(in crate::cli) policy: Arc<Policy>,
    pub(in crate::cli) style: Style,
    pub(in crate::cli) dialect: Option<Dialect>,
    pub(in crate::cli) offline: bool,
}

/// A text after all changes.
pub(in crate::cli) struct Changed<'i> {
    pub(in crate::cli) input: &'i Input,
    pub(in crate::cli) before: &'i str,
    pub(in crate::cli) text: String,
}

/// What became of the question for an image; for a tag that does not exist, those that somebody may have meant.
pub(super) struct Answer {
    pub(super) outcome: Result<Answered, Unanswered>,
    pub(super) suggestions: Vec<String>,
}

pub(super) type Answers = BTreeMap<String, Answer>;

// === impl Changed ===

impl Changed<'_> {
    pub(in crate::cli) fn is_changed(&self) -> bool {
        self.before != self.text
    }
}

// === impl Changing ===

impl Changing {
    /// Changes all texts; those that cannot be read are reported and left out.
    pub(in crate::cli) async fn change<'i>(
        &self,
        texts: &'i [Text],
        asker: &Asker,
        report: &mut Report,
    ) -> Vec<Changed<'i>> {
        let read = texts
            .iter()
            .filter_map(|text| Some((text, self.find(text, report)?)));
        let found: Vec<_> = read.collect();
        let answers = self.ask(&found, asker).await;
        let mut changed = Vec::with_capacity(found.len());
        for (text, found) in &found {
            report.files += 1;
            report.images += found.mentions.len();
            changed.extend(self.rewrite(text, found, &answers, report));
        }
        changed
    }

    /// What a text names; its tree is gone afterwards, so that many files take no more memory than their texts.
    fn find(
        &self,
        Text {
            input,
            content,
            base,
        }: &Text,
        report: &mut Report,
    ) -> Option<Found> {
        let yaml = match Yaml::read(content) {
            Ok(yaml) => yaml,
            Err(_) if content.contains("{{") => {
                let said = "is a template and no YAML; left alone".to_owned();
                report.find(&input.name, None, "", Level::Note, said);
                return None;
            }
            Err(_) if !input.named && is_foreign_json(input, content) => return None,
            Err(error) => {
                let said = format!("not YAML: {error}; correct it, or leave the file out");
                report.cannot(&input.name, Some(error.place), said);
                return None;
            }
        };
        // What is wrong with the chart's own values is told of that file.
        let base = base.as_deref().and_then(|base| Yaml::read(base).ok());
        let about = About {
            file_name: input.file_name(),
            told: self.dialect,
            named: input.named,
            base: base.as_ref().and_then(|base| base.documents().next()),
        };
        Some(mentions::find(&yaml, about))
    }

    /// Asks about every image once.
    async fn ask(&self, found: &[(&Text, Found)], asker: &Asker) -> Answers {
        let mut questions: BTreeMap<String, Canonical> = BTreeMap::new();
        for mention in found.iter().flat_map(|(_, found)| &found.mentions) {
            if let Verdict::Ask(canonical) = self.assess(mention).verdict {
                questions.insert(canonical.text.to_string(), canonical);
            }
        }
        let style = match self.style {
            Style::Digest => PinStyle::Digest,
            Style::GitSha | Style::GitShaDigest => PinStyle::GitSha,
        };
        let answers = stream::iter(questions).map(|(text, canonical)| async move {
            let outcome = asker.resolve(&canonical.reference, style).await;
            let is_missing = matches!(&outcome, Err(Unanswered::Failed(failure)) if failure.cause == Cause::NotFound);
            let suggestions = if is_missing {
                asker.nearest(&canonical.reference).await
            } else {
                Vec::new()
            };
            (text, Answer { outcome, suggestions })
        });
        answers.buffer_unordered(AT_ONCE).collect().await
    }

    pub(super) fn assess<'m>(&self, mention: &'m Mention) -> Assessed<'m> {
        let slot = Slot {
            list: List::Containers,
            index: 0,
            name: &mention.path,
            image: &mention.image,
            never_pulled: mention.stays_unpinned,
        };
        assess::assess(slot, &self.policy, self.offline)
    }

    fn rewrite<'i>(
        &self,
        Text { input, content, .. }: &'i Text,
        found: &Found,
        answers: &Answers,
        report: &mut Report,
    ) -> Option<Changed<'i>> {
        for remark in &found.remarks {
            let level = if remark.wrong {
                Level::Error
            } else {
                Level::Note
            };
            report.find(
                &input.name,
                Some(remark.place),
                &remark.path,
                level,
                remark.said.clone(),
            );
        }
        let mut edits = Vec::new();
        for mention in &found.mentions {
            let told = Told {
                changing: self,
                input,
                mention,
                report,
            };
            edits.extend(told.edits(answers));
        }
        match edit::apply(content, edits) {
            Ok(changed) => Some(Changed {
                input,
                before: content,
                text: changed,
            }),
            Err(error) => {
                let said = format!(
                    "{error}, at byte {}; write it out where it is named by an alias",
                    error.at
                );
                report.cannot(&input.name, None, said);
                None
            }
        }
    }
}

/// JSON of other programs lies about in many repositories, some of it with comments.
fn is_foreign_json(input: &Input, text: &str) -> bool {
    input.is_json() && !text.contains("\"apiVersion\"")
}
