//! A directory for one test: gone when the test has passed, left as it is when it has not.

use std::fs;
use std::path::{Path, PathBuf};

/// The build directory.
pub(crate) fn target() -> &'static Path {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap_or(tmp)
}

/// The repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One test's directory, `target/e2e/TEST`.
#[derive(Debug)]
pub(crate) struct Room {
    path: PathBuf,
}

impl Room {
    /// An empty one. What an earlier run that failed has left goes now, and not before.
    pub(crate) fn new(test: &str) -> Self {
        let path = target().join("e2e").join(test);
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts a file into it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // A leftover costs space; it proves nothing.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
