//! The conformance suite on SQLite, and what only a file can be asked.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use async_trait::async_trait;
use rein_store::conformance::Rig;
use rein_store::{Commit, Key, Lane, LaneEntry, OpenError, SqliteOptions, SqliteStore, Store, StoreError};
use tempfile::TempDir;

/// A directory per test; the stores of one test lie beside each other.
struct Files {
    home: TempDir,
    made: std::sync::atomic::AtomicUsize,
    last: parking_lot::Mutex<Option<std::path::PathBuf>>,
}

impl Files {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Self { home, made: 0.into(), last: parking_lot::Mutex::default() }
    }
}

#[async_trait]
impl Rig for Files {
    type S = SqliteStore;

    async fn fresh(&self) -> SqliteStore {
        let number = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = self.home.path().join(format!("{number}.db"));
        *self.last.lock() = Some(path.clone());
        SqliteStore::open(path, SqliteOptions::default()).expect("a fresh store")
    }

    async fn reopen(&self, store: SqliteStore) -> SqliteStore {
        store.close().await;
        let path = self.last.lock().clone().expect("a store was made");
        SqliteStore::open(path, SqliteOptions::default()).expect("the store again")
    }
}

rein_store::conformance!(Files::new());

fn open(path: &std::path::Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, SqliteOptions::default())
}

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777
}

#[tokio::test]
async fn only_its_owner_reads_the_file_and_only_one_opens_it() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("s.db");
    let store = open(&path).expect("a store");
    store.commit(Commit::new().put("k", "v")).await.expect("a commit");
    for name in ["s.db", "s.db-wal", "s.db-shm", "s.db-lock"] {
        assert_eq!(mode(&home.path().join(name)), 0o600, "{name}");
    }
    let Err(second) = open(&path) else { panic!("opened twice") };
    assert!(matches!(second, OpenError::InUse { .. }));
    assert!(second.to_string().ends_with("is in use by another process"), "{second}");
    store.close().await;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    let store = open(&path).expect("the store again");
    assert_eq!(mode(&path), 0o600, "a wider mode is narrowed");
    assert!(store.get(&Key::from("k")).await.expect("a get").is_some());
}

#[tokio::test]
async fn newer_and_foreign_files_are_refused_untouched() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("newer.db");
    open(&path).expect("a store").close().await;
    let edit = rusqlite::Connection::open(&path).expect("the file");
    edit.execute("UPDATE meta SET value = 99 WHERE name = 'schema_version'", []).expect("an edit");
    drop(edit);
    let Err(OpenError::Newer { found: 99, known: 1, .. }) = open(&path) else {
        panic!("a newer file was opened")
    };

    let path = home.path().join("foreign.db");
    rusqlite::Connection::open(&path).expect("a file").execute_batch("CREATE TABLE t(x)").expect("a table");
    let Err(OpenError::NotAStore { .. }) = open(&path) else { panic!("a foreign file was opened") };

    let path = home.path().join("text.db");
    let text = "this is no database, it only lies where one could be. ".repeat(40);
    std::fs::write(&path, &text).expect("a text");
    let Err(OpenError::NotAStore { .. }) = open(&path) else { panic!("a text was opened") };
    assert_eq!(std::fs::read_to_string(&path).expect("the text"), text);

    let Err(OpenError::Io { .. }) = open(&home.path().join("none/s.db")) else {
        panic!("no directory, no store")
    };
}

/// Beyond what every store promises: nothing but commits moves the revision of a file.
#[tokio::test]
async fn closing_and_opening_is_no_revision() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("s.db");
    let store = open(&path).expect("a store");
    store.commit(Commit::new().put("k", "v")).await.expect("a commit");
    let before = store.revision().await;
    store.close().await;
    assert_eq!(open(&path).expect("the store again").revision().await, before);
}

fn large(key: &str, bytes: usize) -> Commit {
    Commit::new()
        .put(key, vec![b'x'; bytes])
        .lane(LaneEntry { lane: Lane::from("run"), body: key.to_owned().into() })
}

/// The path of SQLITE_FULL, by a limit on the file's size: refused, nothing changed, later it works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_space_commits_are_refused_and_work_again_with_space() {
    let home = tempfile::tempdir().expect("a directory");
    let options = SqliteOptions { max_bytes: Some(1 << 20), ..SqliteOptions::default() };
    let store = Arc::new(SqliteStore::open(home.path().join("s.db"), options).expect("a store"));
    let mut fitted = 0;
    let error = loop {
        match store.commit(large(&format!("k/{fitted}"), 50_000)).await {
            Ok(_) => fitted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full(_)) && error.surely_not_done(), "{error}");
    assert!(fitted > 3);
    let before = store.list(&Key::everything()).await.expect("reads go on");
    assert_eq!(before.0.len(), fitted);

    // In one group, whoever still fits is served.
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let store = Arc::clone(&store);
            let bytes = if n % 2 == 0 { 200_000 } else { 10 };
            tokio::spawn(async move { (n, store.commit(large(&format!("g/{n}"), bytes)).await) })
        })
        .collect();
    for task in tasks {
        let (n, outcome) = task.await.expect("a task");
        assert_eq!(outcome.is_ok(), n % 2 == 1, "{n}: {outcome:?}");
    }
    let lanes = store.lanes().await.expect("the heads");
    assert_eq!(lanes[0].seq, fitted as u64 + 20, "a refused commit appended to its lane");

    store.set_max_bytes(None).await.expect("a new limit");
    store.commit(large("k/more", 200_000)).await.expect("there is space again");
    let items = store.lane(&Lane::from("run"), 0, usize::MAX).await.expect("the lane");
    rein_store::verify((0, rein_store::LaneHash::START), &items).expect("a whole lane");
    assert_eq!(items.len(), fitted + 21);
}
