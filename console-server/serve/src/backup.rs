//! Backups without a running server: one is taken from a store that nobody holds, or brought into an empty one.

use crate::config::Config;
use crate::start::{ServeError, prepare};
use crate::state::State;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use rein_core::AppError;
use rein_core::backup::{RestoreError, Restored};
use rein_core::clock::{Machine, Sources};
use rein_domain::time::Timestamp;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// A backup under way.
pub struct Backup {
    pieces: BoxStream<'static, Result<Bytes, AppError>>,
    state: State,
}

impl Backup {
    /// Opens the store that the configuration names.
    ///
    /// # Errors
    /// There is none, or a server holds it.
    pub async fn begin(config: &Config) -> Result<Self, ServeError> {
        if let Some(path) = file(config)
            && !path.exists()
        {
            let what = "there is no store in it".to_owned();
            return Err(ServeError::Data { path: config.data_dir.clone(), what });
        }
        let state = State::open(config).await?;
        let pieces = rein_core::backup::stream(state.store(), now());
        Ok(Self { pieces, state })
    }

    /// The next piece; `None` behind the last.
    pub async fn next(&mut self) -> Option<Result<Bytes, ServeError>> {
        Some(self.pieces.next().await?.map_err(ServeError::House))
    }

    /// Closes the store.
    pub async fn end(self) {
        let Self { pieces, state } = self;
        drop(pieces);
        state.close().await;
    }
}

/// Brings the backup in `from` into the empty store that the configuration names.
///
/// # Errors
/// The backup is no good, or something is there already; then nothing was changed.
pub async fn restore(config: &Config, from: &Path) -> Result<Restored, ServeError> {
    let unread = |error: std::io::Error| ServeError::Restore {
        file: from.to_owned(),
        source: RestoreError::Backup(error.into()),
    };
    let refused = |source| ServeError::Restore { file: from.to_owned(), source };
    let opened = || std::fs::File::open(from).map(BufReader::new).map_err(unread);
    // Before anything is made: a file that is no good leaves no trace.
    let _ = rein_core::backup::examine(opened()?).map_err(|e| refused(e.into()))?;
    if file(config).is_some_and(|path| path.exists()) {
        return Err(refused(RestoreError::NotEmpty));
    }
    prepare(&config.data_dir)?;
    let state = State::open(config).await?;
    let restored = rein_core::backup::restore(state.store().as_ref(), opened()?, now()).await;
    state.close().await;
    restored.map_err(refused)
}

/// The store's file, when it lies in one.
fn file(config: &Config) -> Option<PathBuf> {
    config.cluster.store.is_none().then(|| config.data_dir.join("rein.db"))
}

fn now() -> Timestamp {
    Timestamp(Machine.wall())
}
