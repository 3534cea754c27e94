//! Pull secrets from Secret manifests, for a run without a cluster.

use std::{
    collections::{BTreeMap, HashMap},
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_saphyr::{Error as YamlError, Location, Spanned};
use smol_str::SmolStr;

use crate::domain::{
    docker_config::SecretType,
    pull_secret::{NamespaceSecrets, PullSecret},
};

/// The pull secrets of some manifests, by namespace.
#[derive(Debug, Default)]
pub struct Manifests {
    /// By namespace.
    pub namespaces: HashMap<SmolStr, Arc<NamespaceSecrets>>,
    /// What was found and left out, or is of no use, a line each.
    pub notices: Vec<String>,
}

/// A manifest that cannot be used. The text shows no value of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    file: PathBuf,
    place: Option<(u64, u64)>,
    said: String,
}

/// A file's name and content.
pub(super) type File = (PathBuf, Vec<u8>);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Manifest {
    kind: Option<String>,
    metadata: Option<Metadata>,
    #[serde(rename = "type")]
    secret_type: Option<String>,
    data: Option<BTreeMap<String, Option<Spanned<String>>>>,
    string_data: Option<BTreeMap<String, Option<String>>>,
    items: Option<Vec<Self>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: Option<SmolStr>,
    namespace: Option<SmolStr>,
}

#[derive(Default)]
struct Found {
    secrets: BTreeMap<(SmolStr, SmolStr), PullSecret>,
    notices: Vec<String>,
}

// === impl Manifests ===

impl Manifests {
    /// The pull secrets of the manifests at `path`, a file or a directory. Reads files, blocking.
    ///
    /// # Errors
    /// [`ManifestError`] where a file cannot be read, is no manifest, or a value is not base64.
    pub fn at(path: &Path) -> Result<Self, ManifestError> {
        read(&files(path)?)
    }
}

/// The files of `path`: itself, or a directory's `*.yaml`, `*.yml` and `*.json`, by name.
///
/// # Errors
/// [`ManifestError`] where one cannot be read.
pub(super) fn files(path: &Path) -> Result<Vec<File>, ManifestError> {
    let fail = |path: &Path, error: &io::Error| ManifestError {
        file: path.to_owned(),
        place: None,
        said: format!(
            "cannot be read: {error}; check --pull-secrets and the permissions of what it names"
        ),
    };
    let mut names = Vec::new();
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| fail(path, &error))?;
        for entry in entries {
            let name = entry.map_err(|error| fail(path, &error))?.path();
            // A mounted Secret or ConfigMap keeps its versions in hidden directories.
            let hidden = name
                .file_name()
                .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
            let extension = name.extension().and_then(|e| e.to_str());
            if !hidden && matches!(extension, Some("yaml" | "yml" | "json")) && name.is_file() {
                names.push(name);
            }
        }
        names.sort();
    } else {
        names.push(path.to_owned());
    }
    let read = |name: PathBuf| {
        let bytes = std::fs::read(&name).map_err(|error| fail(&name, &error))?;
        Ok((name, bytes))
    };
    names.into_iter().map(read).collect()
}

/// The pull secrets of `files`. Secrets of other types and objects of other kinds are left out with a notice.
///
/// # Errors
/// [`ManifestError`] where a file is no manifest, or a value is not base64.
pub(super) fn read(files: &[File]) -> Result<Manifests, ManifestError> {
    let mut found = Found::default();
    for (file, bytes) in files {
        let fail = |place, said: String| ManifestError {
            file: file.clone(),
            place,
            said: format!("{said}; correct it, or take the file out of --pull-secrets"),
        };
        let text = std::str::from_utf8(bytes).map_err(|_| fail(None, "not UTF-8".to_owned()))?;
        let is_json = file
            .extension()
            .is_some_and(|extension| extension == "json");
        let manifests = if is_json { json(text) } else { yaml(text) };
        let manifests = manifests.map_err(|(place, said)| fail(place, said))?;
        for manifest in manifests {
            found
                .manifest(file, manifest, None)
                .map_err(|(place, said)| fail(place, said))?;
        }
    }
    let Found { secrets, notices } = found;
    let mut by_namespace: HashMap<SmolStr, Vec<Arc<PullSecret>>> = HashMap::new();
    for ((namespace, _), secret) in secrets {
        let of_namespace = by_namespace.entry(namespace).or_default();
        of_namespace.push(Arc::new(secret));
    }
    let namespaces = by_namespace
        .into_iter()
        .map(|(name, secrets)| (name, Arc::new(NamespaceSecrets::new(secrets))))
        .collect();
    Ok(Manifests {
        namespaces,
        notices,
    })
}

type Misread = (Option<(u64, u64)>, String);

fn json(text: &str) -> Result<Vec<Manifest>, Misread> {
    let documents = serde_json::Deserializer::from_str(text).into_iter::<Option<Manifest>>();
    let read = |document: serde_json::Result<Option<Manifest>>| {
        let place = |e: &serde_json::Error| (e.line() as u64, e.column() as u64);
        // The reader's own words may quote a value.
        document.map_err(|e| {
            let said = match e.classify() {
                serde_json::error::Category::Data => "not a manifest of a Secret",
                serde_json::error::Category::Eof => "the JSON ends too early",
                _ => "not JSON",
            };
            (Some(place(&e)), said.to_owned())
        })
    };
    let all: Result<Vec<_>, _> = documents.map(read).collect();
    Ok(all?.into_iter().flatten().collect())
}

fn yaml(text: &str) -> Result<Vec<Manifest>, Misread> {
    serde_saphyr::from_multiple(text).map_err(|error| {
        let error = error.without_snippet();
        // The reader's own words may quote a value.
        let said = match error {
            YamlError::DuplicateMappingKey { key: Some(key), .. } => {
                format!("the key {key:?} is given twice")
            }
            YamlError::ExternalMessage { .. } | YamlError::Eof { .. } => "not YAML".to_owned(),
            _ => "not a manifest of a Secret".to_owned(),
        };
        let place = error.location().filter(|at| *at != Location::UNKNOWN);
        (place.map(|at| (at.line(), at.column())), said)
    })
}

impl Found {
    fn manifest(
        &mut self,
        file: &Path,
        manifest: Manifest,
        list: Option<&str>,
    ) -> Result<(), Misread> {
        let Manifest {
            kind,
            metadata,
            secret_type,
            data,
            string_data,
            items,
        } = manifest;
        // The members of a SecretList need not repeat their kind.
        let kind = kind.or_else(|| list?.strip_suffix("List").map(str::to_owned));
        let kind = kind.as_deref().unwrap_or_default();
        if let Some(items) = items.filter(|_| kind.ends_with("List")) {
            for item in items {
                self.manifest(file, item, Some(kind))?;
            }
            return Ok(());
        }
        let Metadata { name, namespace } = metadata.unwrap_or_default();
        let namespace = namespace.unwrap_or_else(|| "default".into());
        let name = name.unwrap_or_default();
        let mut notice = |said: &str| {
            let file = file.display();
            let notice = format!("{file}: {kind} {namespace}/{name} {said}");
            self.notices.push(notice);
        };
        if kind != "Secret" || name.is_empty() {
            notice("is not a Secret with a name; left out");
            return Ok(());
        }
        let Some(secret_type) = secret_type.as_deref().and_then(SecretType::from_type) else {
            notice(
                "is not of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg; left out",
            );
            return Ok(());
        };
        let bytes = value(secret_type.data_key(), data, string_data)?;
        if bytes.is_empty() {
            let key = secret_type.data_key();
            notice(&format!("has no {key}; the kubelet ignores it"));
        }
        let secret = PullSecret::read(&name, secret_type, &bytes);
        if let Some(error) = secret.broken() {
            notice(&format!(
                "breaks every pull of the Pods that name it: {error}"
            ));
        }
        let twice = self
            .secrets
            .insert((namespace.clone(), name.clone()), secret);
        if twice.is_some() {
            let file = file.display();
            self.notices.push(format!(
                "{file}: Secret {namespace}/{name} is given twice; this one counts"
            ));
        }
        Ok(())
    }
}

/// The value under `key`; as in the API server, `stringData` wins.
fn value(
    key: &str,
    data: Option<BTreeMap<String, Option<Spanned<String>>>>,
    string_data: Option<BTreeMap<String, Option<String>>>,
) -> Result<Vec<u8>, Misread> {
    let plain = string_data.and_then(|mut data| data.remove(key).flatten());
    if let Some(plain) = plain {
        return Ok(plain.into_bytes());
    }
    let coded = data.and_then(|mut data| data.remove(key).flatten());
    coded.map_or_else(|| Ok(Vec::new()), |coded| decode(&coded, key))
}

fn decode(coded: &Spanned<String>, key: &str) -> Result<Vec<u8>, Misread> {
    let place = (coded.referenced != Location::UNKNOWN)
        .then(|| (coded.referenced.line(), coded.referenced.column()));
    // A block scalar ends in a line break, and long values are wrapped.
    let text: String = coded
        .value
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    BASE64_STANDARD.decode(text).map_err(|_| {
        let said = format!(
            "the value of {key} under data is not base64; plain text goes under stringData"
        );
        (place, said)
    })
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, said) = (self.file.display(), &self.said);
        match self.place {
            Some((line, column)) => write!(f, "{file}:{line}:{column}: {said}"),
            None => write!(f, "{file}: {said}"),
        }
    }
}

impl std::error::Error for ManifestError {}

#[cfg(test)]
#[path = "manifests/tests.rs"]
mod tests;
