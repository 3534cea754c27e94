//! An authority and a leaf in a directory, for a run without a cluster. Made when missing, reused while good.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    net::{Ipv4Addr, Ipv6Addr},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use thiserror::Error;
use tracing::{info, warn};
use zeroize::Zeroizing;

use super::{
    authority::{self, Authority, AuthorityError, ca_needs_renewal},
    files::Files,
    leaf::{self, Host, LeafError, leaf_needs_renewal},
    life::Renewal,
    resolver,
};

/// How often a running process asks whether its local certificate is due; it is so ten days before its end.
pub const POLL: Duration = Duration::from_hours(1);

const KEY_MODE: u32 = 0o600;
const CERT_MODE: u32 = 0o644;
const FOR_OTHERS: u32 = 0o077;

/// What a local run needs of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The authority's certificate, `ca.pem`: what callers have to trust.
    pub ca: PathBuf,
    /// The certificate that is served, `tls.pem`, and its key, `tls.key`.
    pub files: Files,
}

/// Why a directory holds no certificate.
#[derive(Debug, Error)]
pub enum LocalError {
    /// A file or the directory cannot be written or read.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// No leaf.
    #[error(transparent)]
    Leaf(#[from] LeafError),
}

/// The names of this machine to itself.
#[must_use]
pub fn loopback() -> Vec<Host> {
    vec![
        Host::Dns("localhost".to_owned()),
        Host::Ip(Ipv4Addr::LOCALHOST.into()),
        Host::Ip(Ipv6Addr::LOCALHOST.into()),
    ]
}

/// Makes sure that `dir` holds an authority and a leaf of it for `hosts`, both good at `now`.
///
/// What is good is left. Keys are created with mode 0600. Processes that do this at once wait for each other, so all
/// of them find the same pair.
///
/// # Errors
///
/// [`LocalError`] if the directory cannot be used or a host is no name.
pub fn ensure(dir: &Path, hosts: &[Host], now: Timestamp) -> Result<Local, LocalError> {
    let new = !dir.is_dir();
    fs::create_dir_all(dir).map_err(failed("create", dir))?;
    let path = dir.join(".lock");
    let lock = File::create(&path).map_err(failed("create", &path))?;
    lock.lock().map_err(failed("lock", &path))?;
    if new {
        // Such a directory is often made inside a repository.
        write(&dir.join(".gitignore"), b"*\n", CERT_MODE)?;
    }
    let authority = ensure_authority(dir, now)?;
    let local = Local {
        ca: dir.join("ca.pem"),
        files: Files {
            cert: dir.join("tls.pem"),
            key: dir.join("tls.key"),
        },
    };
    ensure_leaf(&local.files, &authority, hosts, now)?;
    Ok(local)
}

/// Does the same every `pause`, for ever, so that a run of weeks has a good certificate, too.
pub async fn maintain(dir: PathBuf, hosts: Vec<Host>, pause: Duration) {
    loop {
        tokio::time::sleep(pause).await;
        if let Err(error) = ensure(&dir, &hosts, Timestamp::now()) {
            let error = &error as &dyn std::error::Error;
            warn!(error, "cannot renew the local certificate");
        }
    }
}

fn ensure_authority(dir: &Path, now: Timestamp) -> Result<Authority, LocalError> {
    let (cert, key) = (dir.join("ca.pem"), dir.join("ca.key"));
    let (pem, key_pem) = (text(&cert)?, text(&key)?);
    let reason = match ca_needs_renewal(&pem, now) {
        Some(reason) => reason,
        None => match Authority::from_pem(&pem, &key_pem) {
            Ok(good) => {
                close_to_others(&key)?;
                return Ok(good);
            }
            Err(_) => Renewal::Damaged,
        },
    };
    info!(path = %cert.display(), %reason, "making a local authority");
    let made = Authority::make("cotter local CA", now, authority::LIFE)?;
    write(&key, made.key_pem().as_bytes(), KEY_MODE)?;
    write(&cert, made.pem().as_bytes(), CERT_MODE)?;
    Ok(made)
}

fn ensure_leaf(
    files: &Files,
    authority: &Authority,
    hosts: &[Host],
    now: Timestamp,
) -> Result<(), LocalError> {
    let (pem, key_pem) = (text(&files.cert)?, text(&files.key)?);
    let reason = match leaf_needs_renewal(&pem, authority.pem(), hosts, now) {
        Some(reason) => reason,
        None if resolver::pair(pem.as_bytes(), key_pem.as_bytes()).is_ok() => {
            return close_to_others(&files.key);
        }
        None => Renewal::Damaged,
    };
    info!(path = %files.cert.display(), %reason, "making a local certificate");
    let made = leaf::sign(authority, hosts, now, leaf::LIFE)?;
    write(&files.key, made.key_pem.as_bytes(), KEY_MODE)?;
    write(&files.cert, made.pem.as_bytes(), CERT_MODE)
}

/// A file's text; a missing one, and one that is no text, counts as empty.
fn text(path: &Path) -> Result<Zeroizing<String>, LocalError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Zeroizing::new(String::from_utf8(bytes).unwrap_or_default())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Zeroizing::default()),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Writes beside `path` and renames, so that a reader finds the old content or the new, and never a part.
fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), LocalError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    // A process that had this number may have ended here.
    let _ = fs::remove_file(&beside);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| file.write_all(content))
        .map_err(failed("write", &beside))?;
    fs::rename(&beside, path).map_err(failed("write", path))
}

/// A key that came with a copy or a checkout may be open to everybody.
fn close_to_others(key: &Path) -> Result<(), LocalError> {
    let mode = fs::metadata(key)
        .map_err(failed("read", key))?
        .permissions()
        .mode();
    if mode & FOR_OTHERS == 0 {
        return Ok(());
    }
    warn!(path = %key.display(), "other users could read this key, closing it to them");
    fs::set_permissions(key, Permissions::from_mode(KEY_MODE)).map_err(failed("write", key))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LocalError {
    let path = path.to_owned();
    move |source| LocalError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests;
