//! Named places at which a crash test may kill the process.
//!
//! With the feature `failpoints` and `REIN_FAILPOINT=name:count` in the environment, the `count`-th pass
//! through `name` aborts the process. Without the feature nothing is compiled in.

/// Every name, in the order a commit meets them; the compaction's, the checkpoint's and the lease's last.
pub const NAMES: [&str; 15] = [
    "before-begin",
    "after-begin",
    "after-conditions",
    "mid-ops",
    "after-ops",
    "after-lane",
    "before-commit",
    "after-commit",
    "after-publish",
    "mid-answer",
    "after-answer",
    "during-compact",
    "before-checkpoint",
    "after-checkpoint",
    "before-expire",
];

/// Every name of the store over etcd, in the order a commit meets them.
pub const ETCD_NAMES: [&str; 5] =
    ["etcd-before-send", "etcd-after-send", "etcd-after-answer", "etcd-mid-answer", "etcd-before-settle"];

/// Aborts the process when this pass is the one asked for.
#[cfg(feature = "failpoints")]
pub(crate) fn hit(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ASKED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let asked = ASKED.get_or_init(|| {
        let text = std::env::var("REIN_FAILPOINT").ok()?;
        let (name, count) = text.split_once(':')?;
        Some((name.to_owned(), AtomicU64::new(count.parse().ok()?)))
    });
    if let Some((at, left)) = asked
        && at == name
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        std::process::abort();
    }
}

/// Nothing: the feature is off.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn hit(_name: &str) {}

/// For a place that is no line of code: passes through `name` a moment after it is first polled, and never
/// ends.
pub(crate) async fn soon(name: &str) -> std::convert::Infallible {
    if cfg!(feature = "failpoints") {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        hit(name);
    }
    std::future::pending().await
}
