//! A list, page by page, as text.

use kube::{
    Client,
    api::ListParams,
    core::{Request, Status},
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What is left of a list.
pub(super) struct Pages<'c> {
    client: &'c Client,
    path: String,
    params: ListParams,
    ended: bool,
}

/// One page.
pub(super) struct Page(String);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Items<'a> {
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "continue")]
    next: Option<String>,
}

// === impl Pages ===

impl<'c> Pages<'c> {
    /// The list at `path`, `size` objects a page; `fields` is a field selector.
    pub(super) fn new(client: &'c Client, path: String, size: u32, fields: &str) -> Self {
        let mut params = ListParams::default().limit(size);
        if !fields.is_empty() {
            params = params.fields(fields);
        }
        Self {
            client,
            path,
            params,
            ended: false,
        }
    }

    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self) -> kube::Result<Option<Page>> {
        if self.ended {
            return Ok(None);
        }
        let text = match self.ask().await {
            Err(kube::Error::Api(status)) if self.goes_on_after(&status) => self.ask().await?,
            answer => answer?,
        };
        let envelope: Envelope = serde_json::from_str(&text).map_err(kube::Error::SerdeError)?;
        let next = envelope.metadata.next.filter(|token| !token.is_empty());
        self.ended = next.is_none();
        self.params.continue_token = next;
        Ok(Some(Page(text)))
    }

    async fn ask(&self) -> kube::Result<String> {
        let request = Request::new(&self.path).list(&self.params);
        let request = request.map_err(kube::Error::BuildRequest)?;
        self.client.request_text(request).await
    }

    /// A list that takes longer than etcd keeps its history (5 min) is told to go on with what is there now.
    fn goes_on_after(&mut self, status: &Status) -> bool {
        let token = status.metadata.as_ref().and_then(|m| m.continue_.clone());
        let goes_on = status.code == 410 && self.params.continue_token.is_some() && token.is_some();
        if goes_on {
            self.params.continue_token = token;
        }
        goes_on
    }
}

// === impl Page ===

impl Page {
    /// The objects, each as its text.
    pub(super) fn items(&self) -> Result<impl Iterator<Item = &str>, String> {
        let unreadable = |error: serde_json::Error| {
            // The text of what does not decode may hold a Secret.
            let (line, column) = (error.line(), error.column());
            format!("the answer cannot be read (line {line}, column {column})")
        };
        let page: Items<'_> = serde_json::from_str(&self.0).map_err(unreadable)?;
        Ok(page
            .items
            .unwrap_or_default()
            .into_iter()
            .map(RawValue::get))
    }
}
