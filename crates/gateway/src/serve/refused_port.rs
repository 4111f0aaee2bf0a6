//! A port that is bound and never listens: whoever connects is refused, really.

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// Held for as long as the process lives, so that nobody else listens there.
pub(super) struct RefusedPort {
    _socket: OwnedFd,
    number: u16,
}

impl RefusedPort {
    /// Takes a free one on loopback.
    pub(super) fn take() -> io::Result<Self> {
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let address = SocketAddr::try_from(getsockname(&socket)?)?;
        Ok(Self { _socket: socket, number: address.port() })
    }

    /// Which it is.
    pub(super) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::RefusedPort;

    #[test]
    fn it_refuses() {
        let port = RefusedPort::take().unwrap();
        let error = std::net::TcpStream::connect(("127.0.0.1", port.number())).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}
