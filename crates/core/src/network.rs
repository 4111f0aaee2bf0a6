//! Networks of IP addresses, as lists of allowed callers name them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address with the number of bits that count: `10.0.0.0/8`, `2001:db8::/32`; without a number, one address. IPv4 in
/// the dress of IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor an address and a number.
    #[error("is no IP address or network such as 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32")]
    Form,
    /// The address has bits set that do not count: a slip, whichever of both was meant.
    #[error("has bits set after its prefix: is one address meant, or {0}?")]
    HostBits(Network),
}

impl Network {
    /// Reads it.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(prefix(bits).ok_or(NetworkError::Form)?)),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Form)?;
        let Some(bits) = bits else { return Ok(Self::from(address)) };
        if bits > width(address) {
            return Err(NetworkError::Form);
        }
        let network = match (address.to_canonical(), address) {
            // ::ffff:10.0.0.0/104 is 10.0.0.0/8; shorter prefixes hold more than IPv4 and stay as they are.
            (v4 @ IpAddr::V4(_), IpAddr::V6(_)) if bits >= 96 => Self { first: v4, bits: bits.saturating_sub(96) },
            _ => Self { first: address, bits },
        };
        let first = masked(network.first, network.bits);
        let network = Self { first, ..network };
        let set = masked(address, bits) != address;
        if set { Err(NetworkError::HostBits(network)) } else { Ok(network) }
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.covers(&Self::from(address))
    }

    /// Whether every address of the other is in it.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let same_family = self.first.is_ipv4() == other.first.is_ipv4();
        same_family && other.bits >= self.bits && masked(other.first, self.bits) == self.first
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let first = address.to_canonical();
        Self { first, bits: width(first) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == width(self.first) {
            return write!(out, "{}", self.first);
        }
        write!(out, "{}/{}", self.first, self.bits)
    }
}

/// Plain digits; `+8` and `08` are none.
fn prefix(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Only the first `bits` bits of it.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits.into())).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits.into())).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::parse(text).unwrap()
    }

    #[test]
    fn what_is_read_is_shown_again() {
        for text in ["10.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::1", "2001:db8::/32", "::/0", "192.0.2.128/25"] {
            assert_eq!(network(text).to_string(), text);
        }
        for (text, shown) in [("10.0.0.1/32", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("::1/128", "::1")] {
            assert_eq!(network(text).to_string(), shown);
        }
        assert_eq!(network("::ffff:10.0.0.0/104").to_string(), "10.0.0.0/8");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "/", "localhost", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10.0.0.0/08", "10/8"] {
            assert_eq!(Network::parse(text), Err(NetworkError::Form), "{text}");
        }
        let slip = Network::parse("10.0.0.1/8").unwrap_err();
        assert_eq!(slip, NetworkError::HostBits(network("10.0.0.0/8")));
        assert!(slip.to_string().contains("10.0.0.0/8"));
        assert!(Network::parse("2001:db8::1/32").is_err());
        assert!(Network::parse("::ffff:10.0.0.1/104").is_err());
    }

    #[test]
    fn networks_hold_addresses_and_one_another() {
        let ten = network("10.0.0.0/8");
        assert!(ten.contains("10.255.0.1".parse().unwrap()) && ten.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!ten.contains("11.0.0.0".parse().unwrap()) && !ten.contains("::10.0.0.1".parse().unwrap()));
        assert!(ten.covers(&network("10.2.0.0/16")) && ten.covers(&ten) && !network("10.2.0.0/16").covers(&ten));
        assert!(network("0.0.0.0/0").covers(&ten) && !network("::/0").covers(&ten));
        let v6 = network("2001:db8::/33");
        assert!(v6.contains("2001:db8:7fff::1".parse().unwrap()) && !v6.contains("2001:db8:8000::".parse().unwrap()));
        assert!(network("192.0.2.1").contains("192.0.2.1".parse().unwrap()));
        assert!(!network("192.0.2.1").contains("192.0.2.2".parse().unwrap()));
    }
}
