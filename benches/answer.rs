//! What an answer has to be: no figure is worth anything if the work was not done.

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

/// What the answers to one kind of review hold.
#[derive(Clone)]
pub(crate) struct Expected {
    /// How many images get a digest; nothing is asked of an echo's patch.
    pinned: Option<usize>,
    /// The last answer that was right, without its uid: one like it is right too.
    right: Option<(Vec<u8>, Vec<u8>)>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    response: Response<'a>,
}

#[derive(Deserialize)]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    patch: Option<&'a str>,
}

#[derive(Deserialize)]
struct Operation {
    path: String,
    #[serde(default)]
    value: serde_json::Value,
}

/// The patch of an answer as it stands there, in base64.
pub(crate) fn patch(answer: &[u8]) -> Result<String> {
    let Answer { response } = serde_json::from_slice(answer)?;
    Ok(response.patch.context("no patch")?.to_owned())
}

impl Expected {
    pub(crate) fn echo() -> Self {
        Self {
            pinned: None,
            right: None,
        }
    }

    pub(crate) fn pinned(images: usize) -> Self {
        Self {
            pinned: Some(images),
            right: None,
        }
    }

    pub(crate) fn check(&mut self, uid: &str, answer: &[u8]) -> Result<()> {
        if let Some((before, after)) = &self.right {
            let rest = answer.strip_prefix(before.as_slice());
            let rest = rest.and_then(|rest| rest.strip_prefix(uid.as_bytes()));
            if rest == Some(after.as_slice()) {
                return Ok(());
            }
        }
        let text = String::from_utf8_lossy(answer);
        self.read(uid, answer)
            .with_context(|| format!("in the answer {text}"))?;
        self.right = text
            .split_once(uid)
            .map(|(before, after)| (before.into(), after.into()));
        Ok(())
    }

    fn read(&self, uid: &str, answer: &[u8]) -> Result<()> {
        let Answer { response } = serde_json::from_slice(answer)?;
        ensure!(response.uid == uid, "not the uid {uid}");
        ensure!(response.allowed, "not allowed");
        let patch = response.patch.context("no patch")?;
        let Some(pinned) = self.pinned else {
            return Ok(());
        };
        let patch = BASE64_STANDARD.decode(patch)?;
        let operations: Vec<Operation> = serde_json::from_slice(&patch)?;
        let digests = operations.iter().filter(|operation| {
            let value = operation.value.as_str().unwrap_or_default();
            operation.path.ends_with("/image") && value.contains("@sha256:")
        });
        let digests = digests.count();
        ensure!(digests == pinned, "{digests} of {pinned} images pinned");
        Ok(())
    }
}
