//! The one trait.

use crate::{Change, Health, Limit, Noted, ProbeEnd, Reading, Status, Taken, Wake, Wakes};
use switchyard_core::{ChannelName, Mode, PaymentId, Timestamp};

/// What the engine asks while it serves a payment. No call waits for anything outside this process, none fails.
///
/// `now` is the present moment of the wall clock, not the start of the call that is noted. It may step in either
/// direction. A step back of up to a second is taken for threads overtaking each other and counts as no time passed; a
/// longer one as no time passed, and time goes on from there: what is known keeps its age. A step forward ages it. So a
/// step may open a trial early or late, but a channel that is down comes back by good probes and by nothing else.
///
/// # Probes
///
/// 1. For each candidate ask [`status_for`](Self::status_for), and keep the answers with the decision.
/// 2. Where the channel decided on has [`Status::Probe`], claim it with [`probe_started`](Self::probe_started). If that
///    is refused, another payment was faster: take the status again for this one channel and decide again.
/// 3. When the call has its outcome, [`probe_ended`](Self::probe_ended) takes the place of [`note`](Self::note).
pub trait Coordination: Send + Sync {
    /// Counts the outcome of a call to the channel, and tells the change of level that it made. A channel not
    /// configured is passed over.
    fn note(&self, channel: &ChannelName, mode: Mode, now: Timestamp, noted: Noted) -> Option<Change>;

    /// How the channel is. One that is not configured is up: nothing is known against it.
    fn health(&self, channel: &ChannelName, mode: Mode, now: Timestamp) -> Health;

    /// What its health rests on, for operators; `None` where it is not configured.
    fn reading(&self, channel: &ChannelName, mode: Mode, now: Timestamp) -> Option<Reading>;

    /// What the channel is to this payment. Claims nothing: the payment may go elsewhere.
    fn status_for(&self, channel: &ChannelName, mode: Mode, now: Timestamp, payment: PaymentId) -> Status {
        self.health(channel, mode, now).for_payment(channel, payment)
    }

    /// Claims the channel's one probe for this payment. `false` if the payment is no probe, or another is open.
    #[must_use]
    fn probe_started(&self, channel: &ChannelName, mode: Mode, now: Timestamp, payment: PaymentId) -> bool;

    /// Gives the probe back with its outcome, which is noted as well; tells the change of level that it made. An end
    /// whose probe was not claimed, or was taken for lost meanwhile, is only noted.
    fn probe_ended(
        &self,
        channel: &ChannelName,
        mode: Mode,
        now: Timestamp,
        payment: PaymentId,
        end: ProbeEnd,
    ) -> Option<Change>;

    /// Takes one token from the key's bucket. A key not seen lately has a full one.
    fn take(&self, key: [u8; 16], now: Timestamp, limit: Limit) -> Taken;

    /// Tells whoever subscribes, here and in other instances, that there is work. May be lost: nobody may rely on it
    /// for more than being early.
    fn wake(&self, wake: Wake);

    /// Listens from now on.
    fn subscribe(&self) -> Wakes;
}
