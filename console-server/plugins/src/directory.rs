//! The directory in which plugins have their sockets: nobody else's, and short.

use crate::host::HostError;
use rein_plugin::serve::MAX_SOCKET_PATH;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a plugin may add to its own directory's path for its socket: `/` and the name. The libraries of
/// go-plugin take about twenty bytes.
const SOCKET_NAME: usize = 25;
/// `/p` and a number.
const OWN_NAME: usize = 8;

/// The directory, locked for one host.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    next: AtomicU64,
    /// Held for as long as the host lives, so that no other one clears the directory away.
    _lock: File,
}

impl Directory {
    pub(crate) fn open(path: &Path) -> Result<Self, HostError> {
        let refuse = |why: String| HostError::Directory { path: path.to_owned(), why };
        let failed = |e: std::io::Error| refuse(e.to_string());
        let path = std::path::absolute(path).map_err(failed)?;
        let length = path.as_os_str().len() + OWN_NAME + SOCKET_NAME;
        if length > MAX_SOCKET_PATH {
            let most = MAX_SOCKET_PATH - OWN_NAME - SOCKET_NAME;
            return Err(refuse(format!(
                "its path has {} bytes; at most {most} leave room for the name of a \
                unix socket. Choose a shorter one",
                path.as_os_str().len()
            )));
        }
        private(&path).map_err(failed)?;
        check(&path).map_err(refuse)?;
        let lock = File::create(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(refuse("another server uses it. Give each its own".into()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        clear(&path).map_err(failed)?;
        Ok(Self { path, next: AtomicU64::new(0), _lock: lock })
    }

    /// A new directory for one process.
    pub(crate) fn own(&self) -> std::io::Result<Own> {
        let n = self.next.fetch_add(1, Ordering::Relaxed) % 1_000_000;
        let path = self.path.join(format!("p{n}"));
        // Left by a process of this host that long ended, if the numbers ever come around.
        let _ = fs::remove_dir_all(&path);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Own(path))
    }
}

/// One process's directory, removed with everything in it when dropped.
#[derive(Debug)]
pub(crate) struct Own(PathBuf);

impl Own {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Whether `socket` is one, of this user, right in this directory.
    pub(crate) fn check(&self, socket: &Path) -> Result<(), String> {
        if socket.parent() != Some(&self.0) {
            return Err(format!(
                "it listens on {}, which is not in the directory it was given (PLUGIN_UNIX_SOCKET_DIR)",
                socket.display()
            ));
        }
        let found =
            fs::symlink_metadata(socket).map_err(|e| format!("its socket {}: {e}", socket.display()))?;
        if !found.file_type().is_socket() || found.uid() != own_uid() {
            return Err(format!("{} is no socket of this user", socket.display()));
        }
        Ok(())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // What cannot be removed now is cleared away when the next server starts.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn private(path: &Path) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn check(path: &Path) -> Result<(), String> {
    let found = fs::symlink_metadata(path).map_err(|e| e.to_string())?;
    if !found.is_dir() {
        return Err("it is no directory".into());
    }
    if found.uid() != own_uid() {
        return Err(format!("it belongs to user {}, and this server is user {}", found.uid(), own_uid()));
    }
    match found.mode() & 0o777 {
        0o700 => Ok(()),
        mode => Err(format!("its mode is {mode:03o}, so that others can reach the sockets; chmod 700 it")),
    }
}

/// Removes what a server that was killed left behind.
fn clear(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let numbered = name
            .to_str()
            .and_then(|name| name.strip_prefix('p'))
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
        if numbered && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn why(path: &Path) -> String {
        Directory::open(path).unwrap_err().to_string()
    }

    #[test]
    fn a_directory_that_others_reach_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("x");
        drop(Directory::open(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).unwrap();
        assert!(why(&path).contains("mode is 750"));
        let file = base.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(why(&file).contains("no directory"));
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(why(&link).contains("no directory"));
    }

    #[test]
    fn a_path_too_long_for_a_socket_names_the_setting() {
        let why = why(Path::new(&format!("/tmp/{}", "x".repeat(90))));
        assert!(why.contains("plugin_dir") && why.contains("at most 74"), "{why}");
    }

    #[test]
    fn one_host_at_a_time_and_leftovers_are_cleared() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("x");
        let first = Directory::open(&path).unwrap();
        assert!(why(&path).contains("another server"));
        let own = first.own().unwrap();
        fs::write(own.path().join("left"), "").unwrap();
        let left = own.path().to_owned();
        std::mem::forget(own);
        drop(first);
        let _second = Directory::open(&path).unwrap();
        assert!(!left.exists());
    }
}
