//! Pushing by plain HTTP, a few milliseconds an image where crane takes a process each.

use super::http_client::{HttpClient, Reply};
use super::image::{Artifact, digest};

/// What pushes and readiness probes call themselves, so that they can be told from what a test asks.
pub const AGENT: &str = "cotter-push";

/// A client that may push to one registry.
pub struct Pusher<'a> {
    pub client: HttpClient,
    pub host: &'a str,
}

impl Pusher<'_> {
    /// Pushes all that the artifact needs, then puts each tag on it: a tag that was elsewhere moves. Gives the digest.
    pub fn push(&self, repository: &str, artifact: &Artifact, tags: &[&str]) -> String {
        for child in &artifact.children {
            self.push(repository, child, &[]);
        }
        for blob in &artifact.blobs {
            self.blob(repository, blob);
        }
        let digest = artifact.digest();
        for reference in [digest.as_str()].iter().chain(tags) {
            self.manifest(repository, artifact, reference);
        }
        digest
    }

    fn blob(&self, repository: &str, blob: &[u8]) {
        let start = self.send(
            "POST",
            &format!("/v2/{repository}/blobs/uploads/"),
            &[],
            b"",
            202,
        );
        let upload = start.header("location").expect("a location");
        let joint = if upload.contains('?') { '&' } else { '?' };
        let headers = [("Content-Type", "application/octet-stream")];
        self.send(
            "PUT",
            &format!("{upload}{joint}digest={}", digest(blob)),
            &headers,
            blob,
            201,
        );
    }

    fn manifest(&self, repository: &str, artifact: &Artifact, reference: &str) {
        let headers = [("Content-Type", artifact.media_type)];
        self.send(
            "PUT",
            &format!("/v2/{repository}/manifests/{reference}"),
            &headers,
            &artifact.manifest,
            201,
        );
    }

    /// Deletes a manifest and its tags, as retention does.
    pub fn delete(&self, repository: &str, digest: &str) {
        self.send(
            "DELETE",
            &format!("/v2/{repository}/manifests/{digest}"),
            &[],
            b"",
            202,
        );
    }

    /// What a tag means now.
    pub fn digest(&self, repository: &str, tag: &str) -> String {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let accept = [(
            "Accept",
            "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
        )];
        let reply = self.send("HEAD", &path, &accept, b"", 200);
        reply
            .header("docker-content-digest")
            .expect("a digest")
            .to_owned()
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        status: u16,
    ) -> Reply {
        let reply = self
            .client
            .send(method, self.host, path, headers, body)
            .expect("the registry");
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        reply
    }
}

/// Whether the registry answers at all, if only with a challenge.
pub fn answers(client: &HttpClient, host: &str) -> bool {
    client
        .get(host, "/v2/")
        .is_ok_and(|reply| matches!(reply.status, 200 | 401))
}
