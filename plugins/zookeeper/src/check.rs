//! A look at the registry as a person would.

use crate::Backend;
use crate::ensemble::resolved;
use crate::entry::Cell;
use crate::settings::Server;
use futures::future::join_all;
use rein_plugin::registry::{InstanceListed, Registry, Survey, shown};
use rein_plugin::{Finding, Grade};
use std::io;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Most bytes read of what a server says of itself.
const MAX_SAID: u64 = 8 * 1024;

impl Backend {
    pub(crate) async fn check(&self, registry: &dyn Registry) -> Vec<Finding> {
        let mut findings =
            join_all(self.settings.servers.iter().map(|server| self.check_server(server))).await;
        if findings.iter().any(|finding| finding.grade < Grade::Error) {
            findings.extend(self.check_entries(registry).await);
        }
        findings
    }

    async fn check_server(&self, server: &Server) -> Finding {
        let subject = format!("server {}", server.name);
        let began = Instant::now();
        let (grade, message) = match timeout(self.settings.timeout, said(server)).await {
            Err(_) => {
                let limit = self.settings.timeout.as_millis();
                (Grade::Error, format!("{} did not answer within {limit} ms", server.name))
            }
            Ok(Err(error)) => (Grade::Error, error.to_string()),
            Ok(Ok(text)) => judged(&text, began.elapsed().as_millis()),
        };
        Finding { grade, subject, message }
    }

    async fn check_entries(&self, registry: &dyn Registry) -> Vec<Finding> {
        let survey = Survey {
            subject: &format!("instances under {}", shown(&self.settings.base)),
            nobody: "is the base what Curator calls the base path?",
            hold: "session",
            odd: "nodes are no instances of Curator's service discovery",
        };
        let is_bare = |one: &InstanceListed| {
            Cell::parse(&one.cell, &self.settings.base).is_ok_and(|cell| cell.created == 0)
        };
        survey.of(registry, is_bare).await
    }
}

/// What a server answers to the word `srvr`.
async fn said(server: &Server) -> io::Result<String> {
    let mut stream = TcpStream::connect(resolved(server).await?.as_slice()).await?;
    stream.write_all(b"srvr").await?;
    let mut text = Vec::new();
    stream.take(MAX_SAID).read_to_end(&mut text).await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn judged(text: &str, took: u128) -> (Grade, String) {
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim().split(['-', ',']).next().map(shown)
    };
    if text.contains("not currently serving") {
        return (Grade::Error, "it serves nobody: it has no quorum, or is starting".to_owned());
    }
    match (field("Zookeeper version:"), field("Mode:")) {
        (Some(version), Some(mode)) => {
            (Grade::Ok, format!("ZooKeeper {version}, {mode}, answers in {took} ms"))
        }
        // `4lw.commands.whitelist` need not have the word.
        _ => (Grade::Ok, format!("answers in {took} ms; it does not tell its version (the word srvr)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_judged_by_what_it_says() {
        let said =
            "Zookeeper version: 3.8.0-${mvngit.commit.id}, built on 2022\nLatency: 0\nMode: follower\n";
        assert_eq!(judged(said, 2), (Grade::Ok, "ZooKeeper 3.8.0, follower, answers in 2 ms".to_owned()));
        assert_eq!(judged("srvr is not executed because it is not in the whitelist.\n", 2).0, Grade::Ok);
        assert_eq!(judged("This ZooKeeper instance is not currently serving requests\n", 2).0, Grade::Error);
        let hostile = judged("Zookeeper version: \u{1b}[31m\nMode: \u{202e}x\n", 2).1;
        assert!(!hostile.contains(['\u{1b}', '\u{202e}']), "{hostile}");
    }
}
