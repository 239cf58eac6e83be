//! Whose request it is: networks as operators write them, the client behind trusted proxies, and the
//! form in which an address is counted. Pure. Counting is not here: see [`crate::rate`], [`crate::crowd`].

use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// A longer chain of proxies is no chain that anybody runs; the rest of it is not looked at.
const HOPS_MAX: usize = 16;
/// What one IPv6 customer is given at least: within it, addresses cost nothing.
const V6_CUSTOMER: u128 = u128::MAX << 64;

/// A network: `10.0.0.0/8`, `2001:db8::/32`, or one address. IPv4 is written as IPv4: `::/0` holds none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let network = text.parse().or_else(|_| one());
        network.map(Network).map_err(|_| format!("{text:?} is no network; write 10.0.0.0/8, 2001:db8::/32 or one address"))
    }
}

impl Network {
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

pub fn any_holds(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.holds(address))
}

/// One number per counted client: an IPv4 address, or an IPv6 /64.
pub fn counted(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits() & V6_CUSTOMER,
    }
}

/// The client of a request that came from `peer`. Each trusted proxy has appended whom it saw, so the last
/// hop that is not trusted is the client; whatever stands before it is the client's own invention. A hop
/// that cannot be read ends the search: the request then counts as that of the proxy that passed it on.
/// `forwarded` are the values of `x-forwarded-for`, in the order of their lines.
pub fn client<'a>(peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>, trusted: &[Network]) -> IpAddr {
    let mut client = peer.to_canonical();
    let hops = forwarded.rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX);
    for hop in hops {
        if !any_holds(trusted, client) {
            break;
        }
        let Some(address) = hop_address(hop.trim()) else { break };
        client = address.to_canonical();
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse() {
        return Some(address);
    }
    if let Some(rest) = hop.strip_prefix('[') {
        return rest.split_once(']')?.0.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    hop.rsplit_once(':')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn networks_hold_what_they_say_and_wrong_ones_are_named() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "8.8.8.8", false),
            ("::ffff:10.1.2.3", "10.1.2.3", true),
        ];
        for (network, address, held) in cases {
            assert_eq!(networks(&[network])[0].holds(ip(address)), held, "{network} {address}");
        }
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "player.example", "10.0.0/8"] {
            assert!(wrong.parse::<Network>().unwrap_err().contains("is no network"), "{wrong}");
        }
    }

    #[test]
    fn only_what_a_trusted_proxy_appended_is_believed() {
        let trusted = networks(&["10.0.0.0/8", "2001:db8:ffff::/48"]);
        let cases: [(&str, &[&str], &str); 9] = [
            ("192.0.2.1", &["203.0.113.9"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9", "10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
            ("2001:db8:ffff::1", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("::ffff:10.0.0.1", &["203.0.113.9:80"], "203.0.113.9"),
        ];
        for (peer, forwarded, expected) in cases {
            assert_eq!(client(ip(peer), forwarded.iter().copied(), &trusted), ip(expected), "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn an_ipv6_network_of_one_customer_counts_once() {
        assert_eq!(counted(ip("2001:db8::1")), counted(ip("2001:db8::ffff:1")));
        assert_ne!(counted(ip("2001:db8::1")), counted(ip("2001:db8:0:1::1")));
        assert_ne!(counted(ip("192.0.2.1")), counted(ip("192.0.2.2")));
        assert_eq!(counted(ip("192.0.2.1")), counted(ip("::ffff:192.0.2.1")));
    }

    proptest! {
        #[test]
        fn an_untrusted_peer_is_itself_whatever_it_claims(bits in any::<u32>(), claim in ".{0,200}") {
            let peer = IpAddr::V4(bits.into());
            prop_assert_eq!(client(peer, [claim.as_str()].into_iter(), &[]), peer);
        }

        #[test]
        fn a_claim_before_the_appended_hop_changes_nothing(claim in "[^\r\n]{0,200}") {
            let line = format!("{claim}, 203.0.113.9");
            let found = client(ip("10.0.0.1"), [line.as_str()].into_iter(), &networks(&["10.0.0.0/8"]));
            prop_assert_eq!(found, ip("203.0.113.9"));
        }
    }
}
