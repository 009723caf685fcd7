//! A plugin to start from, in the author's language: complete, and passing the conformance suite.
//!
//! Each keeps silences in a file. What an author replaces is the file; what Rein needs is there.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A language in which there is a skeleton.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// With this very crate.
    Rust,
    /// With grpcio.
    Python,
    /// With grpc-go.
    Go,
}

/// All of them, as they are called on a command line.
pub const LANGS: [(&str, Lang); 3] = [("rust", Lang::Rust), ("python", Lang::Python), ("go", Lang::Go)];

impl FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = LANGS.iter().find(|(name, _)| *name == text);
        found.map(|(_, lang)| *lang).ok_or_else(|| format!("`{text}` is none of rust, python, go"))
    }
}

/// Why there is no skeleton.
#[derive(Debug, thiserror::Error)]
pub enum SkeletonError {
    /// Something is there already.
    #[error("{path} is not empty; name a directory that is, or that is not there yet", path = .0.display())]
    Taken(PathBuf),
    /// It could not be written.
    #[error("{path}: {source}", path = path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// A file of a skeleton.
struct File {
    path: &'static str,
    text: &'static str,
    mode: u32,
}

const fn file(path: &'static str, text: &'static str) -> File {
    File { path, text, mode: 0o644 }
}

const fn script(path: &'static str, text: &'static str) -> File {
    File { path, text, mode: 0o755 }
}

const PROTO: File =
    file("proto/rein/plugin/v1/plugin.proto", include_str!("../../../proto/rein/plugin/v1/plugin.proto"));
const TELEMETRY: File = file(
    "proto/rein/plugin/v1/telemetry.proto",
    include_str!("../../../proto/rein/plugin/v1/telemetry.proto"),
);
const REGISTRY: File =
    file("proto/rein/plugin/v1/registry.proto", include_str!("../../../proto/rein/plugin/v1/registry.proto"));

const RUST: &[File] = &[
    file("Cargo.toml", include_str!("../templates/rust/Cargo.toml.in")),
    file("src/main.rs", include_str!("../templates/rust/src/main.rs")),
    file("src/backend.rs", include_str!("../templates/rust/src/backend.rs")),
    file("tests/conformance.rs", include_str!("../templates/rust/tests/conformance.rs")),
    file("conformance.json", include_str!("../templates/rust/conformance.json")),
    PROTO,
    TELEMETRY,
    REGISTRY,
];

const PYTHON: &[File] = &[
    file("plugin.py", include_str!("../templates/python/plugin.py")),
    script("build", include_str!("../templates/python/build")),
    file("conformance.json", include_str!("../templates/python/conformance.json")),
    PROTO,
    TELEMETRY,
    REGISTRY,
];

const GO: &[File] = &[
    file("main.go", include_str!("../templates/go/main.go")),
    file("backend.go", include_str!("../templates/go/backend.go")),
    file("go.mod", include_str!("../templates/go/go.mod")),
    file("go.sum", include_str!("../templates/go/go.sum")),
    script("build", include_str!("../templates/go/build")),
    file("conformance.json", include_str!("../templates/go/conformance.json")),
    PROTO,
    TELEMETRY,
    REGISTRY,
];

/// Writes a plugin into a directory that is empty or not there yet, and says which files it wrote.
pub fn write(lang: Lang, directory: &Path) -> Result<Vec<PathBuf>, SkeletonError> {
    let failed = |source| SkeletonError::Write { path: directory.to_owned(), source };
    fs::create_dir_all(directory).map_err(failed)?;
    if fs::read_dir(directory).map_err(failed)?.next().is_some() {
        return Err(SkeletonError::Taken(directory.to_owned()));
    }
    let files = match lang {
        Lang::Rust => RUST,
        Lang::Python => PYTHON,
        Lang::Go => GO,
    };
    let put = |file: &File| {
        let path = directory.join(file.path);
        match create(&path, file) {
            Ok(()) => Ok(path),
            Err(source) => Err(SkeletonError::Write { path, source }),
        }
    };
    files.iter().map(put).collect()
}

fn create(path: &Path, file: &File) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).create(parent)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(file.mode).open(path)?.write_all(file.text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let written = write(Lang::Go, &directory.path().join("new")).unwrap();
        assert!(written.iter().all(|path| path.is_file()));
        let again = write(Lang::Python, &directory.path().join("new")).unwrap_err();
        assert!(again.to_string().contains("is not empty"), "{again}");
    }

    #[test]
    fn languages_are_called_by_name() {
        assert_eq!("python".parse(), Ok(Lang::Python));
        assert_eq!("perl".parse::<Lang>(), Err("`perl` is none of rust, python, go".into()));
    }

    /// One cookie, in every language.
    #[test]
    fn every_skeleton_knows_the_cookie() {
        for text in [PYTHON[0].text, GO[0].text] {
            assert!(text.contains(crate::serve::COOKIE) && text.contains(crate::serve::COOKIE_VALUE));
        }
    }
}
