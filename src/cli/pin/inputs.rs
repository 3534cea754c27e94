//! Which files are read, and what cannot be read of them.

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::bail;

use super::report::Report;
use crate::domain::mentions;

/// The largest text that is read, in bytes. Trees of a text take some ten times as much memory.
const LARGEST: u64 = 128 << 20;

/// A file that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Input {
    /// As it is called in what is said.
    pub(in crate::cli) name: String,
    /// Where it is; `None` for stdin.
    pub(in crate::cli) path: Option<PathBuf>,
    /// Somebody named it, and not a directory around it.
    pub(in crate::cli) named: bool,
}

/// A file's text, and what completes it.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Text {
    pub(in crate::cli) input: Input,
    pub(in crate::cli) content: String,
    /// The `values.yaml` beside values of a chart.
    pub(in crate::cli) base: Option<String>,
}

/// All files, in the order in which they were named.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Inputs(Vec<Input>);

// === impl Input ===

impl Input {
    pub(in crate::cli) fn stdin() -> Self {
        Self {
            name: "stdin".to_owned(),
            path: None,
            named: true,
        }
    }

    pub(in crate::cli) fn file_name(&self) -> Option<&str> {
        self.path.as_deref()?.file_name()?.to_str()
    }

    /// The chart's own values, where these complete them and they can be read.
    fn base(&self) -> Option<String> {
        self.file_name()
            .filter(|name| mentions::completes_values(name))?;
        let beside = self.path.as_deref()?.with_file_name("values.yaml");
        read(Some(&beside)).ok()
    }

    pub(in crate::cli) fn is_json(&self) -> bool {
        let extension = self.path.as_deref().and_then(Path::extension);
        extension == Some(OsStr::new("json"))
    }
}

// === impl Inputs ===

impl Inputs {
    /// The files of `paths`. What of a directory cannot be looked at is reported, the rest goes on.
    pub(in crate::cli) fn collect<'p>(
        paths: impl Iterator<Item = &'p PathBuf>,
        report: &mut Report,
    ) -> anyhow::Result<Self> {
        let (mut inputs, mut any) = (Self::default(), false);
        for path in paths {
            any = true;
            if path.as_os_str() == "-" {
                inputs.0.push(Input::stdin());
            } else if path.is_dir() {
                inputs.walk(path, report);
            } else {
                inputs.add(path, true);
            }
        }
        if !any {
            bail!("no file is named; name files or directories, or - for stdin");
        }
        let mut seen = HashSet::new();
        inputs.0.retain(|input| {
            let real = input
                .path
                .as_deref()
                .and_then(|path| path.canonicalize().ok());
            real.is_none_or(|real| seen.insert(real))
        });
        Ok(inputs)
    }

    fn add(&mut self, path: &Path, named: bool) {
        self.0.push(Input {
            name: path.display().to_string(),
            path: Some(path.to_owned()),
            named,
        });
    }

    /// Linked directories are not entered, so that no link leads in a circle; hidden ones neither.
    fn walk(&mut self, directory: &Path, report: &mut Report) {
        let name = directory.display().to_string();
        let mut entries = Vec::new();
        match fs::read_dir(directory) {
            Ok(found) => {
                for entry in found {
                    match entry {
                        Ok(entry) => entries.push(entry.path()),
                        Err(error) => report.cannot(&name, None, unreadable(&error)),
                    }
                }
            }
            Err(error) => report.cannot(&name, None, unreadable(&error)),
        }
        entries.sort();
        for path in entries {
            let is_hidden = path
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if is_hidden {
                continue;
            }
            if path.is_dir() {
                if !path.is_symlink() {
                    self.walk(&path, report);
                }
            } else if is_text(&path) {
                self.add(&path, false);
            }
        }
    }

    /// Reads them; what cannot be read is reported, the rest goes on.
    pub(in crate::cli) fn read(self, report: &mut Report) -> Vec<Text> {
        let mut texts = Vec::with_capacity(self.0.len());
        for input in self.0 {
            match read(input.path.as_deref()) {
                Ok(content) => {
                    let base = input.base();
                    texts.push(Text {
                        input,
                        content,
                        base,
                    });
                }
                Err(said) => report.cannot(&input.name, None, said),
            }
        }
        texts
    }
}

fn is_text(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    matches!(extension, Some("yaml" | "yml" | "json"))
        || path.file_name() == Some(OsStr::new("Kustomization"))
}

/// Reads a file, or stdin.
fn read(path: Option<&Path>) -> Result<String, String> {
    let failed = |error: io::Error| unreadable(&error);
    let bytes = match path {
        None => at_most(io::stdin().lock()),
        Some(path) => File::open(path).and_then(|file| {
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            if metadata.len() > LARGEST {
                Ok(None)
            } else {
                at_most(file)
            }
        }),
    };
    let bytes = bytes.map_err(failed)?.ok_or_else(|| {
        let mebibytes = LARGEST >> 20;
        format!("is larger than {mebibytes} MiB; split it, or leave it out")
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("is not UTF-8 (at byte {at}); save it as UTF-8")
    })
}

fn at_most(source: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    source.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= LARGEST).then_some(bytes))
}

fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}; check the path and its permissions")
}
