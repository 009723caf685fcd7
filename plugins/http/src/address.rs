//! Names are judged when they are dialled, by what they resolve to then: whoever may declare a backend, or
//! owns a name, could otherwise make Rein read what link-local services hand out.

use rein_plugin::address::refused;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::SocketAddr;

/// Resolves names, and keeps only addresses that may be called.
pub(crate) struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let fine: Vec<SocketAddr> =
                found.iter().copied().filter(|address| refused(address.ip()).is_none()).collect();
            match found.first().map(SocketAddr::ip) {
                Some(ip) if fine.is_empty() => {
                    let why = refused(ip).unwrap_or_default();
                    Err(format!("{} is {ip}, which must not be called: {why}", name.as_str()).into())
                }
                _ => Ok(Box::new(fine.into_iter()) as Addrs),
            }
        })
    }
}
