//! Writing a file so that it is whole at every moment: beside it, then in its place.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// A file that could not be written. What stood there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written; {remedy}", path.display())]
pub struct WriteError {
    path: PathBuf,
    remedy: &'static str,
    #[source]
    cause: io::Error,
}

/// The mode of a new file, of which the kernel takes the umask.
const NEW: u32 = 0o666;
/// Its owner's alone.
const PRIVATE: u32 = 0o600;

const CHECK: &str = "check the permissions and the space of its directory";
const KEEP_OWNER: &str = "its owner cannot be kept; run as its owner or as root";

/// Replaces the content of `path` in one step, or makes it. Mode and owner of a file that is there are kept, a symbolic
/// link stays one and its target is written; a new file gets what the process' umask leaves.
///
/// # Errors
/// [`WriteError`]
pub fn replace(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    write(path, content, None)
}

/// As [`replace`], but nobody except its owner may read the file afterwards (mode 0600).
///
/// # Errors
/// [`WriteError`]
pub fn replace_private(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    write(path, content, Some(PRIVATE))
}

fn write(path: &Path, content: &[u8], mode: Option<u32>) -> Result<(), WriteError> {
    let fail = |remedy| {
        move |cause| WriteError {
            path: path.to_owned(),
            remedy,
            cause,
        }
    };
    let target = target(path).map_err(fail(CHECK))?;
    let before = match fs::metadata(&target) {
        Ok(before) if before.is_file() => Some(before),
        // A device would be replaced by a file.
        Ok(_) => return Err(fail(CHECK)(io::Error::other("it is no regular file"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(fail(CHECK)(error)),
    };
    let first = match (mode, &before) {
        (None, None) => NEW,
        _ => PRIVATE,
    };
    let (beside, mut file) = create_beside(&target, first).map_err(fail(CHECK))?;
    let written = (|| {
        keep(&file, before.as_ref(), mode).map_err(fail(KEEP_OWNER))?;
        let put = file.write_all(content).and_then(|()| file.sync_all());
        put.and_then(|()| fs::rename(&beside, &target))
            .map_err(fail(CHECK))
    })();
    match written {
        // The name is in the directory, which is written apart from the file.
        Ok(()) => sync_directory(&target),
        Err(_) => drop(fs::remove_file(&beside)),
    }
    written
}

/// What is written in the end: the file that a chain of symbolic links leads to, which need not be there.
fn target(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(link) => path = path.parent().unwrap_or(Path::new("")).join(link),
            // It is no link, or not there.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// A new file in the same directory, since a name is exchanged in one step only within a file system.
fn create_beside(target: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    /// Names that earlier runs of the same process number may have left behind.
    const ATTEMPTS: u32 = 100;
    let name = target
        .file_name()
        .ok_or_else(|| io::Error::other("it is a directory"))?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    for attempt in 0..ATTEMPTS {
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let beside = target.with_file_name(beside);
        match with_mode(&mut options, mode).open(&beside) {
            Ok(file) => return Ok((beside, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(unix)]
fn with_mode(options: &mut OpenOptions, mode: u32) -> &OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, mode)
}

#[cfg(not(unix))]
fn with_mode(options: &mut OpenOptions, _: u32) -> &OpenOptions {
    options
}

/// Gives the new file the owner of the old one, and its mode or `mode`.
#[cfg(unix)]
fn keep(file: &File, before: Option<&Metadata>, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    if let Some(before) = before {
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            fchown(file, Some(before.uid()), Some(before.gid()))?;
        }
    }
    match mode.or(before.map(|before| before.mode() & 0o7777)) {
        Some(mode) => file.set_permissions(fs::Permissions::from_mode(mode)),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn keep(file: &File, before: Option<&Metadata>, _: Option<u32>) -> io::Result<()> {
    before.map_or(Ok(()), |before| file.set_permissions(before.permissions()))
}

fn sync_directory(target: &Path) {
    let parent = target.parent().filter(|p| !p.as_os_str().is_empty());
    // Not every file system can; the content itself is safe by now.
    let _ = File::open(parent.unwrap_or(Path::new("."))).and_then(|dir| dir.sync_all());
}

#[cfg(unix)]
#[cfg(test)]
#[path = "files/tests.rs"]
mod tests;
