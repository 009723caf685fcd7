//! A look at the registry as a person would.

use crate::Backend;
use crate::entry::{Cell, shown};
use futures::future::join_all;
use rein_plugin::{Finding, Grade};
use std::collections::BTreeSet;
use std::time::Instant;

/// Pages looked at.
const PAGES: usize = 20;

impl Backend {
    pub(crate) async fn check(&self) -> Vec<Finding> {
        let members = (0..self.settings.endpoints.len()).map(|member| self.check_member(member));
        let mut findings = join_all(members).await;
        if findings.iter().any(|finding| finding.grade < Grade::Error) {
            findings.extend(self.check_entries().await);
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

    async fn check_entries(&self) -> Vec<Finding> {
        let (mut services, mut instances, mut bare, mut unread, mut page) = (BTreeSet::new(), 0, 0, 0, None);
        let subject = format!("entries under {}", shown(&self.settings.prefix));
        let finding = |grade, message| Finding { grade, subject: subject.clone(), message };
        for _ in 0..PAGES {
            let listing = match self.list(page).await {
                Ok(listing) => listing,
                Err(fault) => return vec![finding(Grade::Error, fault.to_string())],
            };
            unread += listing.unread;
            for one in listing.page.items {
                instances += 1;
                let cell = Cell::parse(&one.cell, &self.settings.prefix);
                bare += u32::from(cell.is_ok_and(|cell| cell.lease == 0));
                services.insert(one.service);
            }
            page = listing.page.next;
            if page.is_none() {
                break;
            }
        }
        let more = if page.is_some() { ", and more" } else { "" };
        let mut findings = Vec::new();
        if instances == 0 {
            let message = "nobody is registered there: is the prefix what stands before SERVICE/ADDRESS?";
            findings.push(finding(Grade::Warning, message.to_owned()));
        } else {
            let message = format!("{instances} instances of {} services{more}", services.len());
            findings.push(finding(Grade::Ok, message));
        }
        if bare > 0 {
            let message = format!("{bare} instances hang on no lease: they stay when their process dies");
            findings.push(finding(Grade::Warning, message));
        }
        if unread > 0 {
            let message = format!("{unread} keys are no entries of gRPC's etcd naming");
            findings.push(finding(Grade::Warning, message));
        }
        findings
    }
}
