//! Which addresses a connection may go to. It is decided on the address itself, after its name was resolved, and the
//! connection goes to that very address: a name that resolves otherwise a moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where connections may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Anywhere: operators choose the address.
    Anywhere,
    /// To public addresses only: merchants choose the address, and what is private is none of their business.
    Public,
}

impl Reach {
    /// Whether a connection may go there.
    pub(crate) fn admits(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Anywhere, _) => true,
            (Self::Public, IpAddr::V4(address)) => public_v4(address),
            (Self::Public, IpAddr::V6(address)) => public_v6(address),
        }
    }
}

/// IANA's registry of special addresses: what is not globally reachable is not public, metadata services included.
fn public_v4(address: Ipv4Addr) -> bool {
    const SPECIAL: &[(Ipv4Addr, u32)] = &[
        (Ipv4Addr::new(0, 0, 0, 0), 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(100, 64, 0, 0), 10),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 0, 0, 0), 24),
        (Ipv4Addr::new(192, 0, 2, 0), 24),
        (Ipv4Addr::new(192, 88, 99, 0), 24),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
        (Ipv4Addr::new(198, 51, 100, 0), 24),
        (Ipv4Addr::new(203, 0, 113, 0), 24),
        // Multicast, reserved and broadcast.
        (Ipv4Addr::new(224, 0, 0, 0), 3),
    ];
    let within = |&(network, bits): &(Ipv4Addr, u32)| {
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
        address.to_bits() & mask == network.to_bits()
    };
    !SPECIAL.iter().any(within)
}

/// Global unicast (2000::/3) without what is special in it. Addresses that carry one of IPv4 lead there, whatever it is:
/// the mapped form is judged by what it carries, the others are refused.
fn public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return public_v4(mapped);
    }
    let [first, second, ..] = address.segments();
    let global = first & 0xe000 == 0x2000;
    // Protocol assignments and Teredo, documentation, 6to4.
    let special = match first {
        0x2001 => second < 0x0200 || second == 0x0db8,
        0x2002 => true,
        0x3fff => second < 0x1000,
        _ => false,
    };
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_private_is_out_of_reach() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
        ];
        for text in private {
            let address = text.parse().unwrap();
            assert!(!Reach::Public.admits(address), "{text}");
            assert!(Reach::Anywhere.admits(address), "{text}");
        }
        let public = [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "2a00:1450::1",
        ];
        for text in public {
            assert!(Reach::Public.admits(text.parse().unwrap()), "{text}");
        }
    }
}
