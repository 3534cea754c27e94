//! `cotter.yaml` again, from a file or from whoever else reads it, when its content or that of a CA file it names has changed.
//!
//! Content is compared, not time or inode: a mounted volume swaps symbolic links, and editors rename.

use std::{
    cell::RefCell,
    io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{
    file::{self, FileConfig},
    problem::{ConfigError, Problem},
};

/// What a look at the file found.
#[derive(Debug)]
pub enum Reload {
    /// The content that was seen last.
    Unchanged,
    /// New content, and it is good.
    Changed(FileConfig),
    /// New content that cannot be used: what was in use stays in use. Said once for each content.
    Refused(ConfigError),
}

/// A configuration file, and what was seen of it last.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    text: WatchedText,
}

/// A configuration that somebody else reads, and what was seen of it last. The CA files that it names are read here.
#[derive(Debug)]
pub struct WatchedText {
    source: String,
    /// What a relative CA file is relative to.
    directory: Option<PathBuf>,
    seen: Option<[u8; 32]>,
}

type Read<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

impl Watched {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// As [`file::read`].
    pub fn open(path: &Path) -> Result<(Self, FileConfig), ConfigError> {
        Self::open_with(path, &|path| std::fs::read(path))
    }

    /// Looks at the file again. Reads small files, so call it where blocking is allowed.
    pub fn poll(&mut self) -> Reload {
        self.poll_with(&|path| std::fs::read(path))
    }

    fn open_with(path: &Path, read: Read<'_>) -> Result<(Self, FileConfig), ConfigError> {
        let mut watched = Self {
            path: path.to_owned(),
            text: WatchedText {
                source: path.display().to_string(),
                directory: path.parent().map(Path::to_owned),
                seen: None,
            },
        };
        let config = watched.look(read).1?;
        Ok((watched, config))
    }

    fn poll_with(&mut self, read: Read<'_>) -> Reload {
        self.look(read).into()
    }

    fn look(&mut self, read: Read<'_>) -> Look {
        let source = &self.text.source;
        let text = read(&self.path).map_err(|error| file::unreadable(source, &error));
        self.text.look(text, read)
    }
}

impl WatchedText {
    /// Nothing was seen yet. `source` names it in what is said of its mistakes.
    #[must_use]
    pub fn new(source: String) -> Self {
        Self {
            source,
            directory: None,
            seen: None,
        }
    }

    /// Takes the text as it is now, or why there is none. Reads small files, so call it where blocking is allowed.
    pub fn take(&mut self, text: Result<&[u8], &str>) -> Reload {
        let text = text
            .map(<[u8]>::to_vec)
            .map_err(|said| ConfigError::new(self.source.clone(), vec![Problem::of_source(said)]));
        self.look(text, &|path| std::fs::read(path)).into()
    }

    /// Each file is read once, so that the digest is that of the bytes that were parsed.
    fn look(&mut self, text: Result<Vec<u8>, ConfigError>, read: Read<'_>) -> Look {
        let hash = RefCell::new(Sha256::new());
        let note = |content: Result<&[u8], String>| {
            let content: [u8; 32] = match content {
                Ok(bytes) => Sha256::digest(bytes).into(),
                Err(error) => Sha256::digest(error).into(),
            };
            hash.borrow_mut().update(content);
        };
        let hashed = |path: &Path| {
            let bytes = read(path);
            note(bytes.as_deref().map_err(ToString::to_string));
            bytes
        };
        note(text.as_deref().map_err(ToString::to_string));
        let directory = self.directory.as_deref();
        let config = text.and_then(|text| file::parse(&self.source, directory, &text, &hashed));
        let now = Some(hash.take().finalize().into());
        let before = std::mem::replace(&mut self.seen, now);
        Look(before != now, config)
    }
}

/// Whether the content is new, and what it says.
struct Look(bool, Result<FileConfig, ConfigError>);

impl From<Look> for Reload {
    fn from(Look(new, config): Look) -> Self {
        match config {
            _ if !new => Self::Unchanged,
            Ok(config) => Self::Changed(config),
            Err(error) => Self::Refused(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, collections::HashMap};

    #[derive(Default)]
    struct Files(RefCell<HashMap<PathBuf, Vec<u8>>>);

    impl Files {
        fn write(&self, path: &str, text: &str) {
            self.0.borrow_mut().insert(path.into(), text.into());
        }

        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            let found = self.0.borrow().get(path).cloned();
            found.ok_or_else(|| io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn only_a_change_of_content_is_a_change_and_a_bad_one_is_said_once() {
        let files = Files::default();
        let read = |path: &Path| files.read(path);
        files.write("/etc/cotter.yaml", "resolve: { ttl: 30s }");
        let (mut watched, config) =
            Watched::open_with(Path::new("/etc/cotter.yaml"), &read).unwrap();
        assert_eq!(config.resolve.ttl.as_secs(), 30);
        assert!(matches!(watched.poll_with(&read), Reload::Unchanged));

        files.write("/etc/cotter.yaml", "resolve: { ttl: 30 }");
        let Reload::Refused(error) = watched.poll_with(&read) else {
            panic!("a bad file was taken");
        };
        let said = error.to_string();
        assert!(said.starts_with("/etc/cotter.yaml:1:17: ttl: "), "{said}");
        assert!(matches!(watched.poll_with(&read), Reload::Unchanged));

        files.write("/etc/cotter.yaml", "resolve: { ttl: 40s }");
        let Reload::Changed(config) = watched.poll_with(&read) else {
            panic!("a good file was not taken");
        };
        assert_eq!(config.resolve.ttl.as_secs(), 40);
    }

    #[test]
    fn a_new_ca_file_is_a_change() {
        let files = Files::default();
        let read = |path: &Path| files.read(path);
        files.write(
            "/etc/cotter.yaml",
            "registries: [{ host: r.internal, caFile: ca.pem }]",
        );
        files.write("/etc/ca.pem", &pem("one"));
        let (mut watched, config) =
            Watched::open_with(Path::new("/etc/cotter.yaml"), &read).unwrap();
        let first = config.registries[0].ca.clone();
        assert_eq!(first.len(), 1);
        files.write("/etc/ca.pem", &pem("two"));
        let Reload::Changed(config) = watched.poll_with(&read) else {
            panic!("the new CA was not seen");
        };
        assert_ne!(config.registries[0].ca, first);
        files.write("/etc/ca.pem", "");
        assert!(matches!(watched.poll_with(&read), Reload::Refused(_)));
    }

    fn pem(name: &str) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        params.self_signed(&key).unwrap().pem()
    }

    #[test]
    fn a_file_that_went_away_is_said_once() {
        let files = Files::default();
        let read = |path: &Path| files.read(path);
        files.write("cotter.yaml", "");
        let (mut watched, _) = Watched::open_with(Path::new("cotter.yaml"), &read).unwrap();
        files.0.borrow_mut().clear();
        assert!(matches!(watched.poll_with(&read), Reload::Refused(_)));
        assert!(matches!(watched.poll_with(&read), Reload::Unchanged));
    }

    #[test]
    fn a_text_of_another_reader_is_followed_with_its_ca_files() {
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("ca.pem");
        let text = format!(
            "registries: [{{ host: r.internal, caFile: {} }}]",
            ca.display()
        );
        let mut watched = WatchedText::new("ConfigMap own/cotter".into());
        let mut refused = |text| match watched.take(text) {
            Reload::Refused(error) => error.to_string(),
            other => panic!("{other:?}"),
        };
        let said = refused(Err("is not there"));
        assert_eq!(said, "ConfigMap own/cotter: is not there");
        assert!(refused(Ok(text.as_bytes())).contains("ca.pem"));
        std::fs::write(&ca, pem("one")).unwrap();
        let mut take = || watched.take(Ok(text.as_bytes()));
        assert!(matches!(take(), Reload::Changed(_)));
        assert!(matches!(take(), Reload::Unchanged));
        std::fs::write(&ca, pem("two")).unwrap();
        assert!(matches!(take(), Reload::Changed(_)));
    }
}
