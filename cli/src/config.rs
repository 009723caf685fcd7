//! Files of the command line: where they are, what they hold.

use crate::error::CliError;
use crate::io::Env;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A directory of the XDG base directory specification: the variable if it is absolute, else under home.
pub(crate) fn xdg(env: &Env, variable: &str, fallback: &str) -> PathBuf {
    match env.path(variable).filter(|path| path.is_absolute()) {
        Some(path) => path,
        None => env.path("HOME").unwrap_or_else(|| PathBuf::from(".")).join(fallback),
    }
}

fn state_dir(env: &Env) -> PathBuf {
    xdg(env, "XDG_STATE_HOME", ".local/state").join("rein")
}

/// Where a running demo says how to reach it: see [`crate::DemoFile`].
pub fn demo_file_path(env: &Env) -> PathBuf {
    state_dir(env).join("demo.toml")
}

/// Where contexts are kept.
pub(crate) fn config_path(env: &Env) -> PathBuf {
    xdg(env, "XDG_CONFIG_HOME", ".config").join("rein").join("config.toml")
}

/// Where the current incident is kept.
pub(crate) fn state_path(env: &Env) -> PathBuf {
    state_dir(env).join("state.toml")
}

/// Contexts, and which one is current.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// The one in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// All of them.
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

/// A server and how to get in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    /// Its URL.
    pub(crate) server: String,
    /// The file that holds the token. The token itself is not copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_file: Option<PathBuf>,
    /// The only certificates believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// Reads a TOML file; one that is not there is the default.
pub(crate) fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, CliError> {
    Ok(read_if_there(path)?.unwrap_or_default())
}

/// Reads a TOML file, if it is there.
pub(crate) fn read_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CliError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(CliError::failed(format!("{}: {e}", path.display()))),
    };
    toml::from_str(&text).map(Some).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        CliError::failed(format!("{} line {line}: {}", path.display(), e.message()))
            .hint("correct the file, or move it away")
    })
}

/// Writes a TOML file that only its owner can read: whole, or not at all.
pub(crate) fn write(path: &Path, value: &impl Serialize) -> Result<(), CliError> {
    let failed = |e: &dyn std::fmt::Display| CliError::failed(format!("{}: {e}", path.display()));
    let text = toml::to_string(value).map_err(|e| failed(&e))?;
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|e| failed(&e))?;
    }
    let next = path.with_extension("toml.next");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&next).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&next, path)).map_err(|e| failed(&e))
}
