//! Who asks for flags, for which, and whether that is known or only said.

use super::Shared;
use super::grpc::{Code, Status};
use http::HeaderMap;
use rein_core::doorway::Keys;
use rein_domain::access::{Actor, Pattern, Verb};
use rein_domain::name::ServiceName;
use rein_domain::proof::Identity;
use rein_domain::text::clean;
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;
use std::sync::Arc;

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// Name in its certificate, if it showed one that was verified.
    pub(super) certified: Option<Arc<str>>,
}

/// One call's caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// The flag set asked for; `None`: all flags.
    pub(super) set: Option<ServiceName>,
    /// How it is listed.
    pub(super) name: String,
    /// Whose witness it is.
    pub(super) service: Option<ServiceName>,
    pub(super) identity: Identity,
    /// Where tokens are asked for: the token, since it may be revoked while a stream lasts.
    token: Option<String>,
}

/// Longest name listed, in bytes.
const MAX_SHOWN: usize = 128;

impl Caller {
    /// Decides who is calling. `said` is (`provider_id`, `selector`) of the request.
    pub(super) fn identify(
        shared: &Shared,
        peer: &Peer,
        headers: &HeaderMap,
        said: (&str, &str),
    ) -> Result<Self, Status> {
        let (provider, selector) = said;
        let selector = match headers.get("flagd-selector") {
            // The header is the newer way and goes first, as in flagd itself.
            Some(value) => value.to_str().map_err(|_| unreadable(""))?,
            None => selector,
        };
        let mut set = select(selector)?;
        let token = bearer(headers);
        let actor = token.and_then(|token| shared.doorway.keys.actor(token));
        if shared.access.tokens {
            let actor = actor.as_ref().ok_or_else(unknown)?;
            if let (None, Pattern::Service(own)) = (&set, &actor.pattern) {
                // A token per flag set: asking for all with it means all that it opens.
                set = Some(own.clone());
            }
            permit(actor, set.as_ref())?;
        }
        let service = set.clone().or_else(|| named(provider));
        let (name, identity) = name(peer, actor.as_ref(), provider, service.as_ref());
        let token = token.filter(|_| shared.access.tokens).map(str::to_owned);
        Ok(Self { set, name, service, identity, token })
    }

    /// Is the caller still who it was? Tokens expire and are revoked.
    pub(super) fn recheck(&self, keys: &dyn Keys) -> Result<(), Status> {
        match &self.token {
            Some(token) => permit(&keys.actor(token).ok_or_else(unknown)?, self.set.as_ref()),
            None => Ok(()),
        }
    }
}

fn unknown() -> Status {
    Status::new(
        Code::Unauthenticated,
        "this door wants a good token in the metadata `authorization: Bearer TOKEN`",
    )
}

fn permit(actor: &Actor, set: Option<&ServiceName>) -> Result<(), Status> {
    let target = set.map_or(Pattern::All, |service| Pattern::Service(service.clone()));
    actor.can(Verb::ReadFlags, &target).map_err(|denied| {
        Status::new(
            Code::PermissionDenied,
            format!("{denied}; ask with the selector flagSetId=SERVICE for what the token opens"),
        )
    })
}

/// `flagSetId=SERVICE` or `SERVICE`; nothing: all flags.
fn select(selector: &str) -> Result<Option<ServiceName>, Status> {
    let selector = selector.trim();
    if selector.is_empty() {
        return Ok(None);
    }
    let service = selector.strip_prefix("flagSetId=").unwrap_or(selector);
    service.parse().map(Some).map_err(|_| unreadable(selector))
}

fn unreadable(selector: &str) -> Status {
    let shown: String = clean(selector).chars().take(80).collect();
    Status::new(
        Code::InvalidArgument,
        format!(
            "the selector `{shown}` is not known here; write flagSetId=SERVICE or SERVICE, or none for all"
        ),
    )
}

/// The service in `SERVICE/INSTANCE`.
fn named(provider: &str) -> Option<ServiceName> {
    provider.split_once('/').and_then(|(service, _)| service.parse().ok())
}

/// The token in `authorization: Bearer TOKEN`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// How the caller is listed, and what that is worth. Behind a credential the name begins with
/// the credential's, and it vouches for a service only as far as it reaches.
fn name(
    peer: &Peer,
    actor: Option<&Actor>,
    provider: &str,
    service: Option<&ServiceName>,
) -> (String, Identity) {
    let said: String = clean(provider).chars().take(MAX_SHOWN).collect();
    let under = |credential: &str| match said.rsplit('/').next().filter(|own| !own.is_empty()) {
        Some(own) => format!("{credential}/{own}"),
        None => credential.to_owned(),
    };
    let target = service.map_or(Pattern::All, |service| Pattern::Service(service.clone()));
    if let Some(actor) = actor.filter(|actor| actor.can(Verb::ReadFlags, &target).is_ok()) {
        return (under(actor.name.as_str()), Identity::Authenticated);
    }
    if let Some(certified) = &peer.certified {
        let own = certified.split('.').next();
        let vouches = service.is_none_or(|service| own == Some(service.as_str()));
        let identity = if vouches { Identity::Authenticated } else { Identity::Claimed };
        return (under(certified), identity);
    }
    let name = if said.is_empty() { peer.address.to_string() } else { said };
    (name, Identity::Claimed)
}

/// The first DNS name of a verified client certificate, else its fingerprint.
pub(super) fn certified(certificate: &CertificateDer<'_>) -> Arc<str> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok();
    let dns = parsed.as_ref().and_then(|parsed| parsed.valid_dns_names().next().map(str::to_owned));
    let name = dns.unwrap_or_else(|| {
        let print = ring::digest::digest(&ring::digest::SHA256, certificate);
        let hex: String = print.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("certificate-{hex}")
    });
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_names_one_service_or_is_refused() {
        for (text, means) in
            [("", None), (" ", None), ("order", Some("order")), ("flagSetId=order", Some("order"))]
        {
            assert_eq!(select(text).unwrap().as_ref().map(ServiceName::as_str), means, "{text}");
        }
        for text in ["source=file.json", "flagSetId=", "flagSetId=a,b", "Order", "a\u{202e}b"] {
            let status = select(text).unwrap_err();
            assert_eq!(status.code, Code::InvalidArgument, "{text}");
            assert!(status.message.contains("flagSetId=SERVICE"), "{}", status.message);
        }
    }

    #[test]
    fn a_claimed_name_is_clean_short_and_never_more_than_claimed() {
        let peer = Peer { address: "127.0.0.1:9".parse().unwrap(), certified: None };
        let (shown, identity) = name(&peer, None, "order/i\u{1b}[31m", None);
        assert_eq!((shown.as_str(), identity), ("order/i\\u{1b}[31m", Identity::Claimed));
        assert!(name(&peer, None, &"x".repeat(10_000), None).0.len() <= MAX_SHOWN);
        let peer = Peer { certified: Some("order.svc".into()), ..peer };
        let service = |text: &str| text.parse::<ServiceName>().unwrap();
        let own = name(&peer, None, "order/i-1", Some(&service("order")));
        assert_eq!(own, ("order.svc/i-1".to_owned(), Identity::Authenticated));
        let fake = name(&peer, None, "payment/i-1", Some(&service("payment")));
        assert_eq!(fake, ("order.svc/i-1".to_owned(), Identity::Claimed));
    }
}
