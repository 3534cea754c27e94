//! Reading the list, and the images of the tags that are shown.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use futures_util::stream::{self, StreamExt as _};
use smol_str::SmolStr;

use super::{TagReport, TagsReport, order};
use crate::{
    admission::ports::{Ask, Registry as _},
    cli::{
        answer::{CredentialReport, Trouble},
        asking::{Asker, Unanswered, most_telling},
        credentials::Way,
        output::printable,
    },
    domain::{
        digest::Digest,
        git_sha,
        glob::Glob,
        policy::PinStyle,
        question::Failure,
        reference::{DEFAULT_TAG, Reference},
    },
    registry::{
        describe::{Depth, Description},
        tags::{Listed, TagList},
    },
};

/// Requests at a time; registries limit clients that ask faster.
const AT_ONCE: usize = 8;

/// What is to be read.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) asker: Asker,
    pub(super) image: Reference,
    pub(super) glob: Option<Glob>,
    pub(super) limit: usize,
}

/// What tags mean.
type Meanings = BTreeMap<SmolStr, Result<Digest, Failure>>;
/// What images are, by their digest.
type Images = BTreeMap<Digest, Result<Description, Failure>>;

// === impl Reader ===

impl Reader {
    /// The list, and what its first tags are.
    pub(super) async fn read(&self) -> TagsReport {
        let mut report = TagsReport {
            repository: self.image.lookup_name().to_owned(),
            ..TagsReport::default()
        };
        let (way, list) = match self.list().await {
            Ok(listed) => listed,
            Err((why, named)) => {
                let (host, _) = self.image.endpoint();
                report.error = Some(Trouble::unanswered(host, &why, named));
                return report;
            }
        };
        report.credential = Some(CredentialReport::of(&way));
        report.complete = list.complete;
        let has_latest = list.tags.iter().any(|tag| tag.name == DEFAULT_TAG);
        let mut shown = list.tags;
        shown.retain(|tag| {
            self.glob
                .as_ref()
                .is_none_or(|glob| glob.matches(&tag.name))
        });
        report.matching = shown.len();
        order::by_interest(&mut shown);
        shown.truncate(self.limit);
        let meanings = self.meanings(&way, &shown, has_latest).await;
        let images = self.images(&way, &shown, &meanings).await;
        let tags = shown.iter().map(|tag| of_tag(tag, &meanings, &images));
        report.tags = tags.collect();
        report
            .tags
            .sort_by_key(|tag| Reverse(tag.pushed.or(tag.created)));
        report
    }

    /// The list by the first way that is told, and that way. With an error goes whether user and password were sent.
    async fn list(&self) -> Result<(Way, TagList), (Unanswered, bool)> {
        let ways = self.asker.credentials.ways(&self.image).await;
        let ways = ways.map_err(|e| (Unanswered::NoCredential(format!("{e:#}")), false))?;
        let (mut failures, mut named) = (Vec::new(), false);
        for way in ways {
            named |= way.names_somebody();
            match self.asker.client.tags(way.place(&self.image)).await {
                Ok(list) => return Ok((way, list)),
                Err(failure) => failures.push((way, failure)),
            }
        }
        Err((Unanswered::Failed(most_telling(failures)), named))
    }

    /// What these tags mean, and `latest` if there is one.
    async fn meanings(&self, way: &Way, shown: &[Listed], has_latest: bool) -> Meanings {
        let is_shown = shown.iter().any(|tag| tag.name == DEFAULT_TAG);
        let latest = (has_latest && !is_shown).then(|| Listed {
            name: DEFAULT_TAG.into(),
            digest: None,
            pushed: None,
        });
        let tags: Vec<_> = shown.iter().cloned().chain(latest).collect();
        let look = |tag: Listed| async move {
            let meaning = match tag.digest {
                Some(told) => Ok(told),
                None => self.meaning(way, &tag.name).await,
            };
            (tag.name, meaning)
        };
        let looks = stream::iter(tags).map(look).buffer_unordered(AT_ONCE);
        looks.collect().await
    }

    async fn meaning(&self, way: &Way, tag: &SmolStr) -> Result<Digest, Failure> {
        let ask = Ask {
            tag: tag.clone(),
            ..self.asker.ask(&self.image, way, PinStyle::Digest)
        };
        let resolved = self.asker.client.resolve(ask).await?;
        Ok(resolved.digest)
    }

    /// What the images behind `shown` are, each read once.
    async fn images(&self, way: &Way, shown: &[Listed], meanings: &Meanings) -> Images {
        let digests = shown
            .iter()
            .filter_map(|tag| meanings.get(&tag.name)?.as_ref().ok());
        let digests: BTreeSet<Digest> = digests.cloned().collect();
        let read = |digest: Digest| async move {
            let (client, place) = (&self.asker.client, way.place(&self.image));
            let image = client.describe(place, &digest, Depth::Summary).await;
            (digest, image)
        };
        let reads = stream::iter(digests).map(read).buffer_unordered(AT_ONCE);
        reads.collect().await
    }
}

fn of_tag(listed: &Listed, meanings: &Meanings, images: &Images) -> TagReport {
    let mut report = TagReport {
        tag: listed.name.clone(),
        pushed: listed.pushed,
        ..TagReport::default()
    };
    let digest = match meanings.get(&listed.name) {
        Some(Ok(digest)) => digest,
        Some(Err(failure)) => {
            report.problem = Some(printable(&failure.detail));
            return report;
        }
        None => return report,
    };
    report.digest = Some(digest.to_string());
    let means = |tag: &SmolStr| meanings.get(tag)?.as_ref().ok();
    report.is_latest = means(&SmolStr::new(DEFAULT_TAG)).map(|latest| latest == digest);
    match images.get(digest) {
        Some(Ok(image)) => {
            report.created = image.created;
            if let Some(revision) = &image.revision {
                report.git_sha = Some(revision.commit.clone());
                report.git_sha_tag.clone_from(&revision.tag);
            }
        }
        Some(Err(failure)) => report.problem = Some(printable(&failure.detail)),
        None => {}
    }
    // Without a commit in the image, a tag that is a git SHA says which one it is.
    if report.git_sha.is_none() {
        let mut same = meanings.keys().filter(|tag| means(tag) == Some(digest));
        report.git_sha_tag = same.find(|tag| git_sha::is_git_sha(tag)).cloned();
    }
    report
}
