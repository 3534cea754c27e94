//! The tags of a repository, page by page. The list goes on only at the registry itself, and it ends.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use http::{HeaderMap, Method, StatusCode, Uri, header::LINK};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;
use tokio::time::timeout;

use super::{
    exchange::{Exchange, Inquiry},
    limits::{self, read_at_most},
    manifest,
    origin::Origin,
    redirect,
    trouble::Trouble,
};
use crate::domain::{digest::Digest, reference::is_tag};

/// Tags asked for in one page; ECR refuses to be asked for more, others give as many as they like.
const PAGE: usize = 1_000;

/// The tags of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagList {
    /// The tags in the order of the registry, each once.
    pub tags: Vec<Listed>,
    /// Whether that is all of them; otherwise the list was too long to be read to its end.
    pub complete: bool,
}

/// A tag, and what the list says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The tag.
    pub name: SmolStr,
    /// What it meant when the list was made; only Google's registries say so.
    pub digest: Option<Digest>,
    /// When it was pushed; only Google's registries say so.
    pub pushed: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Page {
    /// Nexus sends `null` for none.
    tags: Option<Vec<String>>,
    /// Google's registries: digest to what has it.
    manifest: Option<BTreeMap<String, Upload>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Upload {
    tag: Option<Vec<String>>,
    /// Milliseconds since 1970, as text.
    time_uploaded_ms: Value,
}

/// Reads the list; each page may take `limit`.
///
/// # Errors
/// [`Trouble`]; [`Trouble::Refused`] if the list goes on at another host.
pub(super) async fn list(exchange: &Exchange, limit: Duration) -> Result<TagList, Trouble> {
    let mut path = format!(
        "/v2/{}/tags/list?n={PAGE}",
        manifest::checked(&exchange.repository)?
    );
    let (mut seen, mut asked) = (HashSet::new(), HashSet::new());
    let mut list = TagList::default();
    for _ in 0..limits::TAG_PAGES {
        let page = timeout(limit, page(exchange, &path)).await;
        let (page, next) = page.unwrap_or_else(|_| Err(Trouble::timed_out(limit)))?;
        let tags = page.tags().into_iter();
        list.tags
            .extend(tags.filter(|tag| seen.insert(tag.name.clone())));
        asked.insert(std::mem::take(&mut path));
        match next {
            // A page that was read already would come for ever.
            Some(next) if !asked.contains(&next) => path = next,
            _ => {
                list.complete = true;
                return Ok(list);
            }
        }
    }
    Ok(list)
}

/// One page, and the path of the next one.
async fn page(exchange: &Exchange, path: &str) -> Result<(Page, Option<String>), Trouble> {
    let inquiry = Inquiry {
        method: Method::GET,
        path: path.to_owned(),
        // Artifactory answers 406 to a manifest's types.
        accept: None,
        began: None,
    };
    let reply = exchange.ask(&inquiry).await?;
    if reply.status() != StatusCode::OK {
        return Err(manifest::status(reply).await);
    }
    let next = next(&exchange.origin, path, reply.headers())?;
    let body = read_at_most(reply.into_body(), limits::TAGS).await?;
    let unreadable = |_| Trouble::Unavailable("the registry sent no list of tags".to_owned());
    let page = serde_json::from_slice(&body).map_err(unreadable)?;
    Ok((page, next))
}

/// The path of the page that `Link: <…>; rel="next"` leads to (RFC 8288, distribution specification "Listing Tags"). It is
/// asked at the registry's own origin, whatever scheme and port a registry behind a proxy believes to have.
fn next(origin: &Origin, path: &str, headers: &HeaderMap) -> Result<Option<String>, Trouble> {
    let links = headers.get_all(LINK).iter();
    let mut links = links
        .filter_map(|value| value.to_str().ok())
        .flat_map(split);
    let Some(target) = links.find_map(next_target) else {
        return Ok(None);
    };
    let refused = |why| Trouble::Refused(format!("the list's next page is not read: {why}"));
    let from: Uri = origin.url(path)?;
    let to = redirect::join(&from, target).ok_or_else(|| refused("its link cannot be read"))?;
    let there = Origin::of(&to).map_err(|_| refused("its link cannot be read"))?;
    if there.host() != origin.host() {
        return Err(refused("it is at another host"));
    }
    Ok(to.path_and_query().map(ToString::to_string))
}

/// The links of one line: commas part them, but not those within `<…>` or quotes.
fn split(line: &str) -> Vec<&str> {
    let (mut links, mut start, mut within) = (Vec::new(), 0, None);
    for (at, c) in line.char_indices() {
        match (c, within) {
            ('<', None) => within = Some('>'),
            ('"', None) => within = Some('"'),
            (',', None) => {
                links.extend(line.get(start..at));
                start = at + 1;
            }
            (c, Some(end)) if c == end => within = None,
            _ => {}
        }
    }
    links.extend(line.get(start..));
    links
}

/// The target of a link whose relation is `next`.
fn next_target(link: &str) -> Option<&str> {
    let (target, params) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = |param: &str| {
        let Some((name, value)) = param.split_once('=') else {
            return false;
        };
        let mut relations = value.trim().trim_matches('"').split(' ');
        let is_relation = name.trim().eq_ignore_ascii_case("rel");
        is_relation && relations.any(|one| one.eq_ignore_ascii_case("next"))
    };
    params.split(';').any(is_next).then_some(target)
}

// === impl Page ===

impl Page {
    /// Its tags. What is no tag is left out: it could not be asked for, and a terminal would obey it.
    fn tags(&self) -> Vec<Listed> {
        let mut told = BTreeMap::new();
        for (digest, upload) in self.manifest.iter().flatten() {
            let Ok(digest) = Digest::parse_sha256(digest) else {
                continue;
            };
            for tag in upload.tag.iter().flatten() {
                told.insert(tag.as_str(), (digest.clone(), upload.pushed()));
            }
        }
        let tags = self.tags.iter().flatten().filter(|tag| is_tag(tag));
        let listed = |tag: &String| {
            let (digest, pushed) = told.remove(tag.as_str()).unzip();
            Listed {
                name: tag.into(),
                digest,
                pushed: pushed.flatten(),
            }
        };
        tags.map(listed).collect()
    }
}

// === impl Upload ===

impl Upload {
    fn pushed(&self) -> Option<Timestamp> {
        let text = self.time_uploaded_ms.as_str()?;
        Timestamp::from_millisecond(text.parse().ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const PATH: &str = "/v2/a/tags/list?n=2";

    fn follow(links: &[&'static str]) -> Result<Option<String>, Trouble> {
        let mut headers = HeaderMap::new();
        for link in links {
            headers.append(LINK, http::HeaderValue::from_static(link));
        }
        let origin = Origin::of_registry("reg.example:5000", false).unwrap();
        next(&origin, PATH, &headers)
    }

    #[rstest]
    #[case::absolute_path(r#"</v2/a/tags/list?last=x&n=2>; rel="next""#)]
    #[case::beside(r#"<list?last=x&n=2>; rel="next""#)]
    #[case::unquoted("</v2/a/tags/list?last=x&n=2>; rel=next")]
    #[case::upper_case(r#"</v2/a/tags/list?last=x&n=2>; REL="Next""#)]
    #[case::two_relations(r#"</v2/a/tags/list?last=x&n=2>; rel="last next""#)]
    #[case::other_params(r#"</v2/a/tags/list?last=x&n=2>; title="a, b"; rel="next""#)]
    #[case::second_of_a_line(r#"</x,y>; rel="first", </v2/a/tags/list?last=x&n=2>; rel="next""#)]
    #[case::whole_url(r#"<https://reg.example:5000/v2/a/tags/list?last=x&n=2>; rel="next""#)]
    #[case::behind_a_proxy(r#"<http://reg.example/v2/a/tags/list?last=x&n=2>; rel="next""#)]
    fn the_next_page(#[case] link: &'static str) {
        let path = "/v2/a/tags/list?last=x&n=2";
        assert_eq!(follow(&[link]).unwrap().as_deref(), Some(path));
        let behind = follow(&[r#"</y>; rel="prev""#, link]).unwrap();
        assert_eq!(behind.as_deref(), Some(path));
    }

    #[rstest]
    #[case::none(&[])]
    #[case::another_relation(&[r#"</v2/a/tags/list?last=x>; rel="prev""#])]
    #[case::no_relation(&["</v2/a/tags/list?last=x>"])]
    #[case::no_link(&["next"])]
    fn no_next_page(#[case] links: &[&'static str]) {
        assert_eq!(follow(links).unwrap(), None);
    }

    #[rstest]
    #[case::another_host(r#"<https://evil.example/v2/a/tags/list>; rel="next""#)]
    #[case::no_scheme(r#"<//evil.example/v2/a/tags/list>; rel="next""#)]
    #[case::suffix(r#"<https://reg.example.evil.example/v2/>; rel="next""#)]
    #[case::host_as_user(r#"<https://reg.example@evil.example/v2/>; rel="next""#)]
    #[case::file(r#"<file:///etc/passwd>; rel="next""#)]
    #[case::spaces(r#"<https://a b/>; rel="next""#)]
    fn a_page_elsewhere_is_refused(#[case] link: &'static str) {
        assert!(matches!(follow(&[link]), Err(Trouble::Refused(_))));
    }

    #[test]
    fn what_is_no_tag_is_left_out() {
        let names = ["dev", "-x", "a b", "\u{1b}[31m", "", "../x", "v1.2_3"];
        let page: Page = serde_json::from_value(serde_json::json!({"tags": names})).unwrap();
        let kept: Vec<_> = page.tags().into_iter().map(|tag| tag.name).collect();
        assert_eq!(kept, ["dev", "v1.2_3"]);
    }

    #[rstest]
    #[case::null(r#"{"name": "a", "tags": null}"#)]
    #[case::absent("{}")]
    #[case::empty(r#"{"tags": []}"#)]
    fn no_tags(#[case] body: &str) {
        let page: Page = serde_json::from_str(body).unwrap();
        assert_eq!(page.tags(), []);
    }

    #[test]
    fn google_tells_digests_and_times() {
        let digest = format!("sha256:{}", "4f0c".repeat(16));
        let body = serde_json::json!({"tags": ["dev", "old"], "manifest": {
            digest.as_str(): {"tag": ["dev"], "timeUploadedMs": "1700000000000", "timeCreatedMs": "-62135596800000"},
            "nonsense": {"tag": ["old"]},
        }});
        let page: Page = serde_json::from_value(body).unwrap();
        let [dev, old] = page.tags().try_into().unwrap();
        assert_eq!(dev.digest.unwrap().as_str(), digest);
        assert_eq!(dev.pushed.unwrap().as_second(), 1_700_000_000);
        assert_eq!((old.digest, old.pushed), (None, None));
    }
}
