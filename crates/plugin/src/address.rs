//! Addresses that neither the server nor a plugin may call, whoever asks for it.
//!
//! Link-local and metadata services hand credentials to whoever can reach them, so a backend's address
//! is a way to steal them. Loopback and private networks are where backends live, and are allowed.
//! Pure: a name has to be resolved by its caller, who asks about each address it gets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Why an address must not be called; `None`: it may be.
pub fn refused(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(v4) => refused_v4(v4),
        IpAddr::V6(v6) => refused_v6(v6),
    }
}

fn refused_v4(ip: Ipv4Addr) -> Option<&'static str> {
    match ip.octets() {
        // AWS, Google Cloud, Azure and most others; Alibaba Cloud; Azure's host; Oracle Cloud.
        [169, 254, 169, 254] | [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => {
            Some("it is a cloud's metadata service")
        }
        [169, 254, ..] => Some("it is link-local"),
        [0, ..] => Some("it is unspecified"),
        [224..=239, ..] => Some("it is multicast"),
        [255, 255, 255, 255] => Some("it is broadcast"),
        _ => None,
    }
}

fn refused_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if ip.is_loopback() {
        return None;
    }
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => return Some("it is unspecified"),
        // AWS; Google Cloud.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            return Some("it is a cloud's metadata service");
        }
        [0xff00..=0xffff, ..] => return Some("it is multicast"),
        [0xfe80..=0xfebf, ..] => return Some("it is link-local"),
        _ => {}
    }
    embedded(ip).and_then(refused_v4)
}

/// The IPv4 address that a network would make of an IPv6 one.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(Ipv4Addr::new(a, b, c, d))
    };
    match ip.segments() {
        // Compatible, mapped, translated (RFC 2765), NAT64 (RFC 6052, RFC 8215).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low] => v4(high, low),
        // 6to4; Teredo, which inverts the client's address.
        [0x2002, high, low, ..] => v4(high, low),
        [0x2001, 0, _, _, _, _, high, low] => v4(!high, !low),
        _ => None,
    }
}

/// Why a URL must not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is none.
    #[error("`{0}` is no URL: {1}")]
    Malformed(String, String),
    /// Not HTTP.
    #[error("`{0}:` is not spoken here; write http:// or https://")]
    Scheme(String),
    /// A name or password, which logs and errors would show.
    #[error("a URL must not carry a user or password; give them as a secret")]
    Userinfo,
    /// The address itself.
    #[error("`{0}` must not be called: {1}")]
    Refused(String, &'static str),
}

/// Takes a URL apart, and refuses those that must not be called: other schemes than HTTP, credentials
/// inside, addresses that [`refused`] refuses in any spelling, and names of metadata services.
pub fn check_url(text: &str) -> Result<Url, UrlError> {
    let url = Url::parse(text).map_err(|e| UrlError::Malformed(crate::cut(text.into()), e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Userinfo);
    }
    let refusal = match url.host() {
        Some(Host::Ipv4(ip)) => refused(ip.into()),
        Some(Host::Ipv6(ip)) => refused(ip.into()),
        Some(Host::Domain(name)) => refused_name(name),
        None => Some("it names no host"),
    };
    match refusal {
        None => Ok(url),
        Some(why) => Err(UrlError::Refused(url.host_str().unwrap_or_default().to_owned(), why)),
    }
}

fn refused_name(name: &str) -> Option<&'static str> {
    match name.trim_end_matches('.') {
        "metadata" | "metadata.google.internal" | "metadata.goog" | "instance-data" => {
            Some("it is a cloud's metadata service")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_hand_out_credentials_are_refused_in_every_form() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "::",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "::ffff:169.254.169.254",
            "::ffff:0:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
            "::ffff:100.100.100.200",
            "::ffff:0.0.0.0",
        ] {
            assert!(refused(address.parse().unwrap()).is_some(), "{address}");
        }
    }

    #[test]
    fn places_where_backends_live_are_allowed() {
        for address in [
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "10.1.2.3",
            "192.168.1.1",
            "100.64.0.1",
            "fd12::1",
            "8.8.8.8",
        ] {
            assert_eq!(refused(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn urls_are_read_as_a_client_would() {
        for url in [
            "http://169.254.169.254/latest",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://0251.0376.0251.0376/",
            "http://169.254.43518/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://metadata.google.internal./",
            "http://Metadata.Google.Internal/",
            "http://①⑥⑨.254.169.254/",
            "http://0/",
        ] {
            let refused = check_url(url).unwrap_err();
            assert!(matches!(refused, UrlError::Refused(..)), "{url}: {refused}");
        }
        assert!(matches!(check_url("file:///etc/passwd"), Err(UrlError::Scheme(_))));
        assert!(matches!(check_url("gopher://x/"), Err(UrlError::Scheme(_))));
        assert!(matches!(check_url("http://me:pw@example.com/"), Err(UrlError::Userinfo)));
        assert!(matches!(check_url("10.0.0.1:9093"), Err(UrlError::Malformed(..) | UrlError::Scheme(_))));
        assert_eq!(check_url("http://127.0.0.1:9093/am").unwrap().path(), "/am");
    }
}
