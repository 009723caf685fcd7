//! Third-party programs: what they may use, and what becomes of them when they take more.

use crate::kit::{Kit, cell, gone, pinned, processes};
use rein_plugin::Adapter;
use rein_plugins::Limits;
use std::time::{Duration, Instant};

fn kit() -> Kit {
    Kit::with(|options| {
        options.programs = [("pinned".to_owned(), pinned("faulty"))].into();
        options.limits = Limits { processes: 40, ..Limits::default() };
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_the_program() {
    let kit = kit();
    let backend = kit.backend("b", "pinned");
    let findings = backend.check().await.unwrap();
    let limits = &findings.iter().find(|finding| finding.subject == "limits").unwrap().message;
    let limit =
        |name: &str| limits.lines().find_map(|line| line.strip_prefix(name)).unwrap().split_whitespace();
    assert_eq!(limit("Max core file size").next(), Some("0"));
    assert_eq!(limit("Max open files").nth(1), Some("256"));
    assert_eq!(limit("Max address space").nth(1), Some((4_u64 << 30).to_string().as_str()));
    assert_eq!(limit("Max file size").nth(1), Some((64 << 20).to_string().as_str()));
    let environment = &findings.iter().find(|finding| finding.subject == "environment").unwrap().message;
    assert!(!environment.contains("REIN_PLUGIN_PARENT"), "{environment}");
    // A child leads no group, so nothing but the refusal keeps it from beginning a session.
    let session = findings.iter().find(|finding| finding.subject == "session").unwrap();
    assert!(session.message.contains("Operation not permitted"), "{session:?}");
    kit.host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_beyond_the_limit_is_its_own_end() {
    kit().falls_over("pinned", "memory").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_forks_like_mad_is_killed_with_all_its_children() {
    let kit = kit();
    let backend = kit.backend("b", "pinned");
    backend.describe().await.unwrap();
    let before = processes("sleep 3600").len();
    let _ = backend.observe(&[cell("fork")]).await;
    let began = Instant::now();
    loop {
        let said = kit
            .host
            .logs("b")
            .unwrap()
            .iter()
            .any(|line| line.text.contains("and may have 40; all are killed"));
        if said {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", kit.host.logs("b"));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while processes("sleep 3600").len() > before {
        assert!(began.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    println!("a program that forks like mad was killed with its children within {:?}", began.elapsed());
    kit.until("b", "backing off").await;
    kit.until("b", "running").await;
    // What did it once does it again: it is not started at once, as what merely fell over is.
    assert!(began.elapsed() > Duration::from_secs(2), "{:?}", began.elapsed());
    kit.host.shutdown().await;
    gone(&format!("{}/x/p", kit.base.path().display())).await;
}
