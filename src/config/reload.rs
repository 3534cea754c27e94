//! `cotter.yaml` again, when its content or that of a CA file it names has changed.
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
    problem::ConfigError,
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
    seen: [u8; 32],
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
        let (config, seen) = look(path, read);
        let path = path.to_owned();
        Ok((Self { path, seen }, config?))
    }

    fn poll_with(&mut self, read: Read<'_>) -> Reload {
        let (config, seen) = look(&self.path, read);
        if std::mem::replace(&mut self.seen, seen) == seen {
            return Reload::Unchanged;
        }
        match config {
            Ok(config) => Reload::Changed(config),
            Err(error) => Reload::Refused(error),
        }
    }
}

/// Reads the file and a digest of everything that was read for it: each file once, so that the digest is that of
/// the bytes that were parsed.
fn look(path: &Path, read: Read<'_>) -> (Result<FileConfig, ConfigError>, [u8; 32]) {
    let hash = RefCell::new(Sha256::new());
    let hashed = |path: &Path| {
        let bytes = read(path);
        let content: [u8; 32] = match &bytes {
            Ok(bytes) => Sha256::digest(bytes).into(),
            Err(error) => Sha256::digest(error.to_string()).into(),
        };
        hash.borrow_mut().update(content);
        bytes
    };
    let source = path.display().to_string();
    let config = match hashed(path) {
        Ok(bytes) => file::parse(&source, path.parent(), &bytes, &hashed),
        Err(error) => Err(file::unreadable(&source, &error)),
    };
    (config, hash.take().finalize().into())
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
}
