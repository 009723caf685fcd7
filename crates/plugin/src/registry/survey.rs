//! What a look at a registry finds of its entries.

use super::{InstanceListed, Registry};
use crate::types::{Finding, Grade};
use std::collections::BTreeSet;

/// Pages looked at.
const PAGES: usize = 20;

/// How a registry's entries are spoken of.
#[derive(Debug, Clone, Copy)]
pub struct Survey<'a> {
    /// Where they lie: "entries under services/".
    pub subject: &'a str,
    /// What to ask oneself where nobody is registered.
    pub nobody: &'a str,
    /// What an entry hangs on that ends with its instance: "lease".
    pub hold: &'a str,
    /// What entries that are none are called: "keys are no entries of gRPC's etcd naming".
    pub odd: &'a str,
}

impl Survey<'_> {
    /// Counts the entries on the first pages; `is_bare` tells one that would outlive its instance.
    pub async fn of(
        self,
        registry: &dyn Registry,
        is_bare: impl Fn(&InstanceListed) -> bool + Send,
    ) -> Vec<Finding> {
        let (mut services, mut instances, mut bare, mut unread, mut page) = (BTreeSet::new(), 0, 0, 0, None);
        let finding = |grade, message| Finding { grade, subject: self.subject.to_owned(), message };
        for _ in 0..PAGES {
            let listing = match registry.list(page).await {
                Ok(listing) => listing,
                Err(fault) => return vec![finding(Grade::Error, fault.to_string())],
            };
            unread += listing.unread;
            for one in listing.page.items {
                instances += 1;
                bare += u32::from(is_bare(&one));
                services.insert(one.service);
            }
            page = listing.page.next;
            if page.is_none() {
                break;
            }
        }
        let Self { nobody, hold, odd, .. } = self;
        let more = if page.is_some() { ", and more" } else { "" };
        let mut findings = vec![match instances {
            0 => finding(Grade::Warning, format!("nobody is registered there: {nobody}")),
            _ => finding(Grade::Ok, format!("{instances} instances of {} services{more}", services.len())),
        }];
        if bare > 0 {
            let message = format!("{bare} instances hang on no {hold}: they stay when their process dies");
            findings.push(finding(Grade::Warning, message));
        }
        if unread > 0 {
            findings.push(finding(Grade::Warning, format!("{unread} {odd}")));
        }
        findings
    }
}
