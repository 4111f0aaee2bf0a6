//! The last check before a request's first byte, and the record that it left.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use switchyard_core::clock::{Clock, Uptime};
use switchyard_core::transport::TransportError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Nothing of the request was written yet.
const WAITING: u8 = 0;
/// At least one byte was handed to the socket.
const LEFT: u8 = 1;
/// The first byte came too late and was held back; so is everything after it.
const TOO_LATE: u8 = 2;

pub(super) fn too_late() -> TransportError {
    TransportError::NeverLeft("the time to send it was over".into())
}

/// Stands before a connection's socket. The caller and the connection share it, within one task.
pub(super) struct Gate {
    clock: Arc<dyn Clock>,
    state: AtomicU8,
    /// In nanoseconds of uptime, which 64 bits hold for 584 years.
    send_by: AtomicU64,
}

impl Gate {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: AtomicU8::new(TOO_LATE), send_by: AtomicU64::new(0) }
    }

    /// Lets the next request pass, if its first byte comes in time.
    pub(super) fn arm(&self, send_by: Uptime) {
        self.send_by.store(u64::try_from(send_by.0.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.state.store(WAITING, Ordering::Release);
    }

    /// Whether a byte of the latest request was handed over.
    pub(super) fn left(&self) -> bool {
        self.state.load(Ordering::Acquire) == LEFT
    }

    /// Whether the latest request was held back.
    pub(super) fn held_back(&self) -> bool {
        self.state.load(Ordering::Acquire) == TOO_LATE
    }

    fn check(&self) -> io::Result<()> {
        match self.state.load(Ordering::Acquire) {
            LEFT => Ok(()),
            WAITING if self.clock.uptime().0 <= Duration::from_nanos(self.send_by.load(Ordering::Relaxed)) => Ok(()),
            _ => {
                self.state.store(TOO_LATE, Ordering::Release);
                Err(io::Error::new(io::ErrorKind::TimedOut, "the time to send it was over"))
            }
        }
    }

    fn note_left(&self) {
        self.state.store(LEFT, Ordering::Release);
    }
}

/// A connected socket.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connected socket behind its gate.
pub(super) struct Gated {
    stream: Stream,
    gate: Arc<Gate>,
}

impl Gated {
    pub(super) const fn new(stream: Stream, gate: Arc<Gate>) -> Self {
        Self { stream, gate }
    }

    fn write(
        &mut self,
        write: impl FnOnce(Pin<&mut (dyn AsyncWrite + Unpin)>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        #[cfg(feature = "crash-points")]
        if self.gate.state.load(Ordering::Acquire) == WAITING {
            switchyard_crash_points::reach(switchyard_crash_points::Point::FirstByteBefore);
        }
        self.gate.check()?;
        match &mut self.stream {
            Stream::Plain(stream) => {
                let written = write(Pin::new(stream));
                if matches!(written, Poll::Ready(Ok(1..))) {
                    #[cfg(feature = "crash-points")]
                    switchyard_crash_points::reach(switchyard_crash_points::Point::HandedOver);
                    self.gate.note_left();
                }
                written
            }
            // What TLS has taken may be on its way, whatever it answers.
            Stream::Tls(stream) => {
                self.gate.note_left();
                write(Pin::new(stream.as_mut()))
            }
        }
    }
}

impl AsyncWrite for Gated {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().write(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().write(|stream| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Gated {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}
