//! A file that is read again and again, and told of when its content is another.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A file and what it held last; an unreadable file is a content, too.
#[derive(Debug)]
pub(super) struct Content {
    path: PathBuf,
    seen: Option<Vec<u8>>,
}

// === impl Content ===

impl Content {
    /// Reads the file for the first time.
    pub(super) fn open(path: PathBuf) -> io::Result<(Self, Vec<u8>)> {
        let bytes = fs::read(&path)?;
        let seen = Some(bytes.clone());
        Ok((Self { path, seen }, bytes))
    }

    /// What it holds now, if that is new. Reading is done on the spot: the file is small and on a local disk or in
    /// memory.
    pub(super) fn news(&mut self) -> Option<io::Result<Vec<u8>>> {
        let read = fs::read(&self.path);
        let now = read.as_ref().ok();
        if now == self.seen.as_ref() {
            return None;
        }
        self.seen = now.cloned();
        Some(read)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
