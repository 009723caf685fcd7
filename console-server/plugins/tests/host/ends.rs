//! A host that is killed leaves nothing behind.

use crate::kit::{gone, processes, rig, sha256};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `REIN_KILLS=100` for the long form.
#[tokio::test(flavor = "multi_thread")]
async fn no_orphan_after_kills_of_the_host() {
    let kills: u32 = std::env::var("REIN_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let base = tempfile::tempdir().unwrap();
    let sum = sha256(&rig());
    let mut longest = Duration::ZERO;
    for n in 0..kills {
        let directory = base.path().join(format!("h{n}"));
        let mut host = Command::new(rig())
            .arg("host")
            .args([&directory, &rig()])
            .arg(&sum)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(host.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let name = directory.display().to_string();
        assert!(processes(&format!("{name}/p")).len() >= 2, "{:?}", processes(&name));
        host.kill().unwrap();
        host.wait().unwrap();
        let began = Instant::now();
        gone(&format!("{name}/p")).await;
        longest = longest.max(began.elapsed());
    }
    println!(
        "{kills} hosts killed, no process left; the last one was gone {longest:?} after its host at most"
    );
}
