//! Where the agent of a node is, told by a pattern. Names and addresses of nodes come from the catalog: they fill in
//! a host and nothing else.

use std::net::IpAddr;

/// `http://{address}:8500`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let pattern = Self(text.trim_end_matches('/').to_owned());
        let rest = text.replace("{node}", "").replace("{address}", "");
        if rest.contains(['{', '}']) {
            return Err("only {node} and {address} can stand in braces".to_owned());
        }
        // A tail after the host would be another part of the URL than one thinks.
        let (scheme, host) =
            pattern.0.split_once("://").ok_or("is no URL: it begins with http:// or https://")?;
        if scheme.contains('{') || host.contains(['/', '?', '#', '@', '\\']) {
            return Err("must be scheme, host and port; {node} and {address} stand in the host".to_owned());
        }
        if host.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
            return Err("has no port; Consul's usual one is 8500".to_owned());
        }
        match pattern.url("node-1", "10.0.0.7") {
            Some(_) => Ok(pattern),
            None => Err("is no URL that may be called".to_owned()),
        }
    }

    /// The URL for one node, if its name and address can be a host's, and may be called.
    pub(crate) fn url(&self, node: &str, address: &str) -> Option<String> {
        let mut text = self.0.clone();
        if text.contains("{node}") {
            text = text.replace("{node}", is_host(node).then_some(node)?);
        }
        if text.contains("{address}") {
            let host = match address.parse() {
                Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
                Ok(IpAddr::V4(ip)) => ip.to_string(),
                Err(_) => is_host(address).then(|| address.to_owned())?,
            };
            text = text.replace("{address}", &host);
        }
        rein_plugin_http::base(&text).ok()
    }
}

fn is_host(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=253).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_fills_in_a_host_and_nothing_else() {
        let by_address = Pattern::read("http://{address}:8500").unwrap();
        assert_eq!(by_address.url("n", "10.0.0.7").as_deref(), Some("http://10.0.0.7:8500"));
        assert_eq!(by_address.url("n", "fd00::1").as_deref(), Some("http://[fd00::1]:8500"));
        let by_name = Pattern::read("https://{node}.node.example:8501/").unwrap();
        assert_eq!(by_name.url("n-1", "x").as_deref(), Some("https://n-1.node.example:8501"));
        for odd in
            ["", "a/b", "a@b", "a:1", "a#", "a?b", "a b", "a\n", "169.254.169.254", "fe80::1", "\u{202e}"]
        {
            assert_eq!(by_address.url("n", odd), None, "{odd:?}");
        }
        assert_eq!(by_name.url("evil.example/", "x"), None);
        for bad in [
            "{node}",
            "{node}://x:1",
            "http://{node}",
            "http://{node}:8500/x",
            "http://{other}:8500",
            "http://u@{node}:1",
            "ftp://{node}:1",
            "http://{node}:{address}",
        ] {
            assert!(Pattern::read(bad).is_err(), "{bad}");
        }
    }
}
