//! cotter's canonical form: the smallest change that makes a reference mean what its author meant.

use smol_str::SmolStr;

use super::{Cut, Digest, Host, Reference, ReferenceError};

/// A reference in canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// What is written into the Pod: host and repository in lower case, no white space around, nothing else changed.
    pub text: SmolStr,
    /// What it means.
    pub reference: Reference,
    /// Whether no host was written: runtimes other than containerd may look elsewhere than on Docker Hub.
    pub short: bool,
    /// Whether the text differs from what was written.
    pub changed: bool,
    repository_len: usize,
}

/// Brings `text` into canonical form; with `qualify`, into the full one (`docker.io/library/nginx`).
///
/// The first component is a host if it has a `.` or `:` or is `localhost`, in any case. Upper case alone does not
/// make a host: `ByteQuester/app` is the Hub owner `bytequester`, though the kubelet would dial `ByteQuester`.
///
/// # Errors
/// [`ReferenceError`] where the kubelet would refuse the text even so.
pub fn canonicalise(text: &str, qualify: bool) -> Result<Canonical, ReferenceError> {
    let trimmed = text.trim();
    let name_len = name_len(trimmed);
    let lowered = lower_name(trimmed, name_len);
    let cut = Cut::of(&lowered);
    let reference = Reference::from_cut(&lowered, &cut, || lowered.clone())?;
    let short = cut.host == Host::Implied;
    let (canonical, repository_len) = if qualify {
        (reference.text.clone(), reference.name_len)
    } else {
        (lowered.clone(), name_len)
    };
    Ok(Canonical {
        changed: canonical != text,
        text: canonical,
        reference,
        short,
        repository_len,
    })
}

impl Canonical {
    /// The repository as the canonical text spells it, without tag and digest.
    #[must_use]
    pub fn spelled_repository(&self) -> &str {
        self.text.get(..self.repository_len).unwrap_or_default()
    }

    /// `host/path` normalised, which the globs of a policy are held against.
    #[must_use]
    pub fn repository(&self) -> &str {
        self.reference.lookup_name()
    }

    /// `repository[:tag]@digest`, the repository as the canonical text spells it.
    #[must_use]
    pub fn pinned(&self, tag: Option<&str>, digest: &Digest) -> String {
        let (repository, digest) = (self.spelled_repository(), digest.as_str());
        match tag {
            Some(tag) => [repository, ":", tag, "@", digest].concat(),
            None => [repository, "@", digest].concat(),
        }
    }
}

/// Where host and repository end and the tag or digest begins.
fn name_len(text: &str) -> usize {
    let named = text.find('@').and_then(|at| text.get(..at)).unwrap_or(text);
    match named.rfind(['/', ':']) {
        Some(at) if named.as_bytes().get(at) == Some(&b':') => at,
        _ => named.len(),
    }
}

fn lower_name(text: &str, name_len: usize) -> SmolStr {
    let name = text.get(..name_len).unwrap_or(text);
    if !name.bytes().any(|b| b.is_ascii_uppercase()) {
        return SmolStr::new(text);
    }
    let mut lowered = name.to_ascii_lowercase();
    lowered.push_str(text.get(name_len..).unwrap_or_default());
    lowered.into()
}
