//! A look at the registry as a person would.

use crate::Backend;
use crate::entry::Cell;
use futures::future::join_all;
use rein_plugin::registry::{InstanceListed, Registry, Survey, shown};
use rein_plugin::{Finding, Grade};
use std::time::Instant;

impl Backend {
    pub(crate) async fn check(&self, registry: &dyn Registry) -> Vec<Finding> {
        let members = (0..self.settings.endpoints.len()).map(|member| self.check_member(member));
        let mut findings = join_all(members).await;
        if findings.iter().any(|finding| finding.grade < Grade::Error) {
            findings.extend(self.check_entries(registry).await);
        }
        findings
    }

    async fn check_member(&self, member: usize) -> Finding {
        let subject = format!("member {}", self.settings.endpoints.get(member).map_or("", String::as_str));
        let began = Instant::now();
        let status = self.members.ask(member, |mut client| async move { client.status().await }).await;
        let (grade, message) = match status {
            Ok(status) if status.leader() == 0 => {
                (Grade::Error, format!("etcd {}: it has no leader", status.version()))
            }
            Ok(status) => {
                let took = began.elapsed().as_millis();
                (Grade::Ok, format!("etcd {}, answers in {took} ms", status.version()))
            }
            Err(trouble) => (Grade::Error, trouble.of_read().to_string()),
        };
        Finding { grade, subject, message }
    }

    async fn check_entries(&self, registry: &dyn Registry) -> Vec<Finding> {
        let survey = Survey {
            subject: &format!("entries under {}", shown(&self.settings.prefix)),
            nobody: "is the prefix what stands before SERVICE/ADDRESS?",
            hold: "lease",
            odd: "keys are no entries of gRPC's etcd naming",
        };
        let is_bare = |one: &InstanceListed| {
            Cell::parse(&one.cell, &self.settings.prefix).is_ok_and(|cell| cell.lease == 0)
        };
        survey.of(registry, is_bare).await
    }
}
