//! Being a bundled plugin: what `plugin serve NAME` does before the plugin's own code runs.

use rustix::process::{
    Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit, setsid,
};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The variable that carries the image of the server.
pub(crate) const IMAGE: &str = "REIN_PLUGIN_IMAGE";
/// The variable that carries the process id of the server.
pub(crate) const PARENT: &str = "REIN_PLUGIN_PARENT";
/// Most memory that a bundled plugin may write into, in bytes: many times what its bounded answers need. A backend
/// that answers without end is then the plugin's trouble, and it starts anew.
const MEMORY: u64 = 1 << 30;

/// Why this process must not be a plugin of its parent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// Another build than the server.
    #[error("this program is the build {0}, the server is {1}; restart the server so that both are one")]
    OtherBuild(String, String),
    /// It has no parent any more.
    #[error("the server that started this plugin has ended")]
    Orphan,
    /// The system would not.
    #[error("cannot tie this plugin to its server: {0}")]
    System(String),
}

/// Ties this process to the server that started it, and refuses to be a plugin of another build.
///
/// Called first in `plugin serve NAME`. Without the server's variables (somebody typed the command) it
/// does nothing; [`rein_plugin::serve()`] then says what this program is for.
pub fn begin() -> Result<(), BeginError> {
    tie(Signal::KILL)?;
    apart();
    limit()?;
    let Ok(theirs) = std::env::var(IMAGE) else { return Ok(()) };
    let own = image(Path::new("/proc/self/exe")).map_err(|e| BeginError::System(e.to_string()))?;
    match own == theirs {
        true => Ok(()),
        false => Err(BeginError::OtherBuild(own, theirs)),
    }
}

/// Dies with the parent, and finds out whether it died before that was arranged.
pub(crate) fn tie(signal: Signal) -> Result<(), BeginError> {
    let Ok(parent) = std::env::var(PARENT) else { return Ok(()) };
    set_parent_process_death_signal(Some(signal)).map_err(|e| BeginError::System(e.to_string()))?;
    let alive = getppid().is_some_and(|pid| pid.as_raw_nonzero().to_string() == parent);
    if alive { Ok(()) } else { Err(BeginError::Orphan) }
}

/// Gives this process a session of its own. Linux shares the processors out among sessions first (autogroup), so a
/// plugin that is busy with all its threads takes one share beside the server and other plugins, and not one a thread.
pub(crate) fn apart() {
    // Without a server it was typed at a terminal, and belongs there.
    if std::env::var_os(PARENT).is_some() {
        // Who leads a group already cannot; it only would be fairer.
        let _ = setsid();
    }
}

/// Holds this process to [`MEMORY`]. Address space would be the wrong measure: on a machine of many processors the
/// allocator reserves gigabytes of it that it never touches.
fn limit() -> Result<(), BeginError> {
    if std::env::var_os(PARENT).is_none() {
        return Ok(());
    }
    let most = Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) };
    setrlimit(Resource::Data, most).map_err(|e| BeginError::System(e.to_string()))
}

/// Which build a file is: the version, and the very file. A running image cannot be written to, so the
/// same inode unaltered is the same program, without reading it all.
pub(crate) fn image(path: &Path) -> std::io::Result<String> {
    let found = std::fs::metadata(path)?;
    Ok(format!(
        "{}-{:x}-{:x}-{:x}-{:x}.{}",
        env!("CARGO_PKG_VERSION"),
        found.dev(),
        found.ino(),
        found.size(),
        found.mtime(),
        found.mtime_nsec()
    ))
}
