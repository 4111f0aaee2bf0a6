//! Which payments may probe a channel: the same ones on every instance, every platform and for ever.

use switchyard_core::{ChannelName, PaymentId};

/// Whether the payment is among the share, in per mille, that may probe the channel.
///
/// `floor(1000 * h / 2^64) < share`, where h is the 64-bit FNV-1a hash of the text `probe`, a zero byte, the channel's
/// name, a zero byte and the payment's 16 UUID bytes, through the finalizer of MurmurHash3 (`fmix64`). The channel is in
/// it so that not the same payments probe every channel, and the first word so that it is independent of how a rule
/// splits.
#[must_use]
pub fn in_share(channel: &ChannelName, payment: PaymentId, share_permille: u16) -> bool {
    draw(channel, payment) < share_permille
}

/// From 0 to 999.
fn draw(channel: &ChannelName, payment: PaymentId) -> u16 {
    let uuid = payment.uuid();
    let bytes = b"probe\0".iter().chain(channel.as_str().as_bytes()).chain(&[0]).chain(uuid.as_bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let scaled = u128::from(mixed(hash)).saturating_mul(1_000) >> 64;
    u16::try_from(scaled).unwrap_or(999)
}

fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
