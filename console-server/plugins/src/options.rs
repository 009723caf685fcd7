//! What a host is told once: from the server's own configuration, never from a definition.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// What a host is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where sockets and working directories lie; made 0700 if it is not there. Short: a socket's path
    /// has to fit into 107 bytes.
    pub directory: PathBuf,
    /// Names of plugins that are part of this program.
    pub bundled: BTreeSet<String>,
    /// Other plugins, by name.
    pub programs: BTreeMap<String, Program>,
    /// What a third-party plugin may use.
    pub limits: Limits,
    /// What a call may take, waiting included.
    pub deadline: Duration,
    /// Calls of one backend that run at the same time; more wait, within their deadline.
    pub calls: usize,
    /// This program, as it is started anew for bundled plugins and guards. `/proc/self/exe` is the
    /// running image itself, even when the file on disk was replaced meanwhile.
    pub itself: PathBuf,
}

impl Options {
    /// The usual, with no plugins.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            bundled: BTreeSet::new(),
            programs: BTreeMap::new(),
            limits: Limits::default(),
            deadline: Duration::from_secs(2),
            calls: 16,
            itself: PathBuf::from("/proc/self/exe"),
        }
    }

    /// Where a plugin comes from; `None`: it is not known here.
    pub(crate) fn trust(&self, plugin: &str) -> Option<Trust> {
        match self.bundled.contains(plugin) {
            true => Some(Trust::Bundled),
            false => self.programs.get(plugin).cloned().map(Trust::Pinned),
        }
    }
}

/// Where a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// It is part of this program.
    Bundled,
    /// A program that was pinned in the server's own configuration.
    Pinned(Program),
}

/// A third-party executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// What a third-party plugin may use. Each limit is of one process, except the number of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Address space, in bytes. Generous: runtimes reserve far more than they use.
    pub memory: u64,
    /// Open files.
    pub files: u64,
    /// Largest file it can write, in bytes.
    pub file_size: u64,
    /// Processes.
    pub processes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 4 << 30, files: 256, file_size: 64 << 20, processes: 64 }
    }
}
