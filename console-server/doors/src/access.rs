//! Who may come to a door at all, and the rule that a door off loopback is never open by accident.

use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// What a door asks of those who come. Everything declared must hold at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// A client certificate that the server's TLS configuration accepts.
    pub mtls: bool,
    /// A token that may read the flags asked for.
    pub tokens: bool,
    /// An address in one of these networks, or this machine itself. Empty: any address.
    pub networks: Vec<IpNet>,
}

/// Why a door does not open.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Off loopback, and nothing declared.
    #[error(
        "{listen} can be reached from other machines and the door asks nothing of them; \
         declare a client CA (mTLS), tokens or the networks that may come (CIDR), \
         or listen on 127.0.0.1"
    )]
    Open {
        /// Where it would listen.
        listen: SocketAddr,
    },
    /// Client certificates are asked for without TLS.
    #[error("client certificates (mTLS) are asked for, but the door has no TLS configuration")]
    NoTls,
    /// The listener failed.
    #[error("the door cannot listen")]
    Io(#[from] std::io::Error),
}

/// May a door listen here, asking this?
pub fn judge(listen: SocketAddr, access: &Access) -> Result<(), DoorError> {
    let asks = access.mtls || access.tokens || !access.networks.is_empty();
    if asks || listen.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(DoorError::Open { listen })
}

impl Access {
    /// May this address come in?
    pub fn admits(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.networks.is_empty()
            || peer.is_loopback()
            || self.networks.iter().any(|network| network.contains(&peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_loopback_a_door_asks_for_something() {
        let nothing = Access::default();
        for (listen, fine) in [
            ("127.0.0.1:8015", true),
            ("[::1]:8015", true),
            ("[::ffff:127.0.0.1]:8015", true),
            ("0.0.0.0:8015", false),
            ("[::]:8015", false),
            ("192.0.2.1:8015", false),
        ] {
            let listen: SocketAddr = listen.parse().unwrap();
            assert_eq!(judge(listen, &nothing).is_ok(), fine, "{listen}");
            for access in [
                Access { mtls: true, ..Access::default() },
                Access { tokens: true, ..Access::default() },
                Access { networks: vec!["10.0.0.0/8".parse().unwrap()], ..Access::default() },
            ] {
                assert!(judge(listen, &access).is_ok(), "{listen} {access:?}");
            }
        }
        let says = judge("0.0.0.0:8015".parse().unwrap(), &nothing).unwrap_err().to_string();
        assert!(says.contains("0.0.0.0:8015") && says.contains("CIDR"), "{says}");
    }

    #[test]
    fn a_declared_network_also_holds_for_mapped_addresses() {
        let access = Access { networks: vec!["10.1.0.0/16".parse().unwrap()], ..Access::default() };
        for (peer, admitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("127.0.0.1", true),
            ("10.2.0.1", false),
            ("::ffff:192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(access.admits(peer.parse().unwrap()), admitted, "{peer}");
        }
    }
}
