//! The file: who may open it, how, and what its tables are.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::SqliteOptions;

/// The newest file format this build reads and the one it writes.
const SCHEMA_VERSION: i64 = 1;
/// "REIN": tells our files from other SQLite files.
const APPLICATION_ID: i64 = 0x5245_494E;
/// Bytes in a page; SQLite's default, and what disks write as one.
pub(super) const PAGE: u64 = 4096;

/// Values lie in the key's own tree (WITHOUT ROWID): one look-up instead of two. History and lane items
/// only ever grow at their end, where a group of commits shares its pages.
const SCHEMA: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('schema_version', 1), ('revision', 0), ('compacted', 0);
CREATE TABLE kv(
    key BLOB PRIMARY KEY, value BLOB NOT NULL,
    created INTEGER NOT NULL, modified INTEGER NOT NULL, lease INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX kv_lease ON kv(lease) WHERE lease IS NOT NULL;
CREATE TABLE history(revision INTEGER PRIMARY KEY, events BLOB NOT NULL) STRICT;
CREATE TABLE lane(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE lane_item(
    lane INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY(lane, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE lease(id INTEGER PRIMARY KEY AUTOINCREMENT, ttl_ms INTEGER NOT NULL) STRICT;
";

/// Why a store's file could not be opened. Nothing was changed in it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another store object holds the file, in this process or another.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The store's file.
        path: PathBuf,
    },
    /// A newer release wrote the file.
    #[error("{} has schema version {found}; this build knows versions up to {known}", path.display())]
    Newer {
        /// The store's file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The newest version this build reads.
        known: i64,
    },
    /// The file is something else.
    #[error("{} is not a store: {why}", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The file or its directory cannot be read, made or locked.
    #[error("cannot open {}", path.display())]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("cannot open {}", path.display())]
    Sqlite {
        /// The store's file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// The right to use the store's file; given back when dropped, also by a kill.
///
/// A file of its own, never the database: closing any descriptor of that would drop SQLite's own locks.
pub(super) struct Claim(#[expect(dead_code, reason = "held for its lock")] File);

impl Claim {
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let mut name = path.as_os_str().to_owned();
        name.push("-lock");
        let name = PathBuf::from(name);
        let failed = |source| OpenError::Io { path: name.clone(), source };
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&name);
        let file = options.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

/// Makes the file when there is none, readable and writable by its owner alone, and closes a wider one.
pub(super) fn make(path: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Io { path: path.to_owned(), source };
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(file) => {
            file.sync_all().map_err(failed)?;
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(parent).and_then(|directory| directory.sync_all()).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
            if mode & 0o077 == 0 {
                return Ok(());
            }
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// The one connection that writes, on a file whose format was checked or just made.
pub(super) fn writer(path: &Path, options: &SqliteOptions) -> Result<Connection, OpenError> {
    let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => {
            OpenError::NotAStore { path: path.to_owned(), why: "not an SQLite file".into() }
        }
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(failed)?;
    check(path, &conn, failed)?;
    prepare_writer(&conn, options).map_err(failed)?;
    Ok(conn)
}

fn check(
    path: &Path,
    conn: &Connection,
    failed: impl Fn(rusqlite::Error) -> OpenError + Copy,
) -> Result<(), OpenError> {
    let id: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if tables == 0 {
        return create(conn).map_err(failed);
    }
    if id != APPLICATION_ID {
        let why = format!("an SQLite file of another application ({id:#x})");
        return Err(OpenError::NotAStore { path: path.to_owned(), why });
    }
    let sql = "SELECT value FROM meta WHERE name = 'schema_version'";
    let found: Option<i64> = conn.query_row(sql, [], |row| row.get(0)).optional().map_err(failed)?;
    match found {
        Some(SCHEMA_VERSION) => Ok(()),
        Some(found) if found > SCHEMA_VERSION => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: SCHEMA_VERSION })
        }
        _ => Err(OpenError::NotAStore { path: path.to_owned(), why: "no schema version".into() }),
    }
}

/// One transaction: a file is either empty or complete.
fn create(conn: &Connection) -> rusqlite::Result<()> {
    conn.pragma_update(None, "page_size", i64::try_from(PAGE).unwrap_or(4096))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.execute_batch(&format!("BEGIN; PRAGMA application_id = {APPLICATION_ID}; {SCHEMA} COMMIT;"))
}

fn prepare_writer(conn: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    // The writer decides when to checkpoint: an automatic one would swallow its I/O errors.
    conn.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", 64 << 20, |_| Ok(()))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    set_cache(conn, options.cache_bytes)?;
    set_max_bytes(conn, options.max_bytes)?;
    harden(conn)
}

/// A connection that cannot write; each reads from its own snapshot and never waits for the writer.
pub(super) fn reader(path: &Path, cache_bytes: u64) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    set_cache(&conn, cache_bytes)?;
    harden(&conn)?;
    Ok(conn)
}

fn harden(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(64);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.pragma_update(None, "trusted_schema", false)
}

fn set_cache(conn: &Connection, bytes: u64) -> rusqlite::Result<()> {
    // Negative: KiB instead of pages.
    conn.pragma_update(None, "cache_size", -i64::try_from(bytes / 1024).unwrap_or(i64::MAX))
}

/// `None` lifts the limit.
pub(super) fn set_max_bytes(conn: &Connection, bytes: Option<u64>) -> rusqlite::Result<()> {
    const MOST: i64 = 0xFFFF_FFFE;
    let pages = bytes.map_or(MOST, |b| i64::try_from(b / PAGE).unwrap_or(MOST).clamp(1, MOST));
    conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
}

/// Makes the next close leave the log alone: after an I/O error it is evidence, not work.
pub(super) fn keep_log(conn: &Connection) {
    if let Err(error) = conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
        tracing::warn!(%error, "the log may be checkpointed on close");
    }
}
