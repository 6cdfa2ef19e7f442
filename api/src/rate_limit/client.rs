//! Whose address a request comes from: the socket's, unless a proxy that we trust tells another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName},
};
use ipnet::{AddrParseError, IpNet};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What one client has: an IPv4 address, or the 64 bits that an IPv6 network is given out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Network(IpAddr);

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into()),
            address @ IpAddr::V4(_) => Self(address),
        }
    }
}

/// The proxies that are trusted.
#[derive(Debug)]
pub(super) struct Proxies(Vec<IpNet>);

impl Proxies {
    pub(super) const fn new(trusted: Vec<IpNet>) -> Self {
        Self(trusted)
    }

    /// Who sent the request.
    pub(super) fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> Network {
        // Only a test has no socket.
        let socket = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        Network::of(self.behind(socket.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), headers))
    }

    /// Goes back from proxy to proxy as long as they are trusted. What a proxy cannot have written ends the way: the rest
    /// is the client's own word.
    fn behind(&self, socket: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = socket.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut told = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')).map(forwarded);
        while self.trusts(address) {
            let Some(Some(before)) = told.next() else { break };
            address = before;
        }
        address
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// An address as proxies write it: some add the port.
fn forwarded(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

/// A network, or a single address.
pub(super) fn proxy(text: &str) -> Result<IpNet, AddrParseError> {
    let text = text.trim();
    text.parse().or_else(|error| text.parse::<IpAddr>().map(IpNet::from).map_err(|_| error))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn proxies(trusted: &[&str]) -> Proxies {
        Proxies::new(trusted.iter().map(|text| proxy(text).unwrap()).collect())
    }

    /// The client of a request that came from `socket` with these header lines.
    fn client(socket: &str, lines: &[&'static str]) -> String {
        let headers = lines.iter().map(|line| (FORWARDED_FOR, HeaderValue::from_static(line)));
        let proxies = proxies(&["10.0.0.0/8", "192.0.2.7", "fd00::/8"]);
        proxies.behind(socket.parse().unwrap(), &headers.collect()).to_string()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(client("203.0.113.5", &["198.51.100.1"]), "203.0.113.5");
        assert_eq!(client("::ffff:203.0.113.5", &["198.51.100.1"]), "203.0.113.5");
    }

    #[test]
    fn a_trusted_proxy_is_believed_for_what_it_wrote_itself() {
        assert_eq!(client("10.1.1.1", &["1.1.1.1, 198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.1.1.1", &["1.1.1.1,198.51.100.1:4711, 192.0.2.7 "]), "198.51.100.1");
        assert_eq!(client("10.1.1.1", &["1.1.1.1", "2.2.2.2", "[2001:db8::1]:80, fd00::2"]), "2001:db8::1");
        assert_eq!(client("::ffff:10.1.1.1", &["198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn without_a_word_that_can_be_read_it_is_the_last_proxy() {
        assert_eq!(client("10.1.1.1", &[]), "10.1.1.1");
        assert_eq!(client("10.1.1.1", &["1.1.1.1, unknown, 10.2.2.2"]), "10.2.2.2");
        assert_eq!(client("10.1.1.1", &["10.3.3.3, 10.2.2.2"]), "10.3.3.3");
        assert_eq!(client("10.1.1.1", &["1.1.1.1,"]), "10.1.1.1");
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_64_bits() {
        let network = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn proxies_are_networks_or_addresses() {
        assert_eq!(proxy(" 10.0.0.1").unwrap(), proxy("10.0.0.1/32").unwrap());
        assert!(proxy("").is_err() && proxy("proxy.example").is_err() && proxy("10.0.0.0/33").is_err());
    }
}
