//! How a `split` rule shares payments out: weighted rendezvous hashing of the payment's id, in integers only, so that a
//! payment gets the same channel on every platform and for ever, and one channel's absence moves no payment but its own.
//!
//! Every arithmetic below is on unsigned integers, wrapping where it says *mod*:
//!
//! 1. `mix(z)`: `z += 0x9E3779B97F4A7C15 (mod 2^64)`, `z = (z ^ z>>30) * 0xBF58476D1CE4E5B9 (mod 2^64)`,
//!    `z = (z ^ z>>27) * 0x94D049BB133111EB (mod 2^64)`, `z ^ z>>31` (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
//! 2. `name`: FNV-1a, 64 bits, of the channel's name in UTF-8.
//! 3. `h = mix(mix(mix(name) ^ hi) ^ lo)`, where `hi` and `lo` are the upper and lower 64 bits of the payment's UUID.
//! 4. `cost = 64 * 2^40 - log2(h + 1)`, in units of 2^-40: the exponential variable of a uniform `h`. The logarithm is the
//!    place of the highest bit, and for the 63 bits behind it the straight line between the entries that the first ten of
//!    them choose in a table of `log2(1 + i/1024)`, `i` from 0 to 1024. An entry's 40 bits come from squaring: `x` starts
//!    at `2^62 + i * 2^52`; 40 times, `x = x * x >> 62`, and the next bit is 1 with `x = x >> 1` where `x >= 2^63`. Along
//!    the line go the next 32 bits `r`: `low + ((high - low) * r >> 32)`.
//! 5. The channel with the least `cost / weight` gets the payment (compared by cross multiplication in 128 bits); the
//!    one with the smaller `name` should two be equal.
//!
//! Whether a payment probes a channel hangs on the same `h` with `mix(name ^ 0x70726F6265)` in place of `mix(name)`:
//! it does where `h * 100 >> 64` is below the percentage.
//!
//! # Test vectors
//!
//! | payment | channel | `h` | `cost` |
//! |---|---|---|---|
//! | `pay_01970000000070008000000000000001` | `adyen_eu` | `14455602170508048342` | `386739488628` |
//! | `pay_01970000000070008000000000000001` | `stripe_eu` | `4872145947828847371` | `2111872694962` |
//! | `pay_01970000000070008000000000000002` | `adyen_eu` | `9803316546126518863` | `1002781573921` |
//! | `pay_ffffffffffffffffffffffffffffffff` | `a` | `4320453037290128675` | `2302500203670` |
//!
//! | `log2` of | in units of 2^-40 |
//! |---|---|
//! | 1 | 0 |
//! | 3 | `1742684699131` |
//! | 2^63 + 1 | `69269232549888` |
//! | 2^64 - 1 | `70368744177663` |

use crate::snapshot::Percent;
use switchyard_core::PaymentId;

/// Fraction bits of logarithms.
const FRACTION: u32 = 40;
/// 64 in those units: the logarithm of 2^64.
const LOG_OF_ALL: u64 = 64 << FRACTION;
/// Segments of the table.
const SEGMENTS: usize = 1024;

/// `log2(1 + i/1024)` in units of 2^-40.
static LOGS: [u64; SEGMENTS + 1] = logs();

#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    reason = "evaluated by the compiler, which would refuse an overflow"
)]
const fn logs() -> [u64; SEGMENTS + 1] {
    let mut table = [0; SEGMENTS + 1];
    let mut i = 0;
    while i < SEGMENTS {
        let mut x = (1_u64 << 62) + ((i as u64) << 52);
        let mut log = 0;
        let mut bit = 0;
        while bit < FRACTION {
            x = ((x as u128 * x as u128) >> 62) as u64;
            log <<= 1;
            if x >= 1 << 63 {
                log |= 1;
                x >>= 1;
            }
            bit += 1;
        }
        table[i] = log;
        i += 1;
    }
    table[SEGMENTS] = 1 << FRACTION;
    table
}

/// `log2` of a number that is not 0; 0 for 0.
fn log2(x: u64) -> u64 {
    let place = u64::from(63_u32.saturating_sub(x.leading_zeros()));
    let fraction = x.wrapping_shl(x.leading_zeros()).wrapping_shl(1);
    let segment = usize::try_from(fraction >> 54).unwrap_or(0);
    let along = (fraction >> 22) & 0xffff_ffff;
    let low = LOGS.get(segment).copied().unwrap_or(0);
    let high = LOGS.get(segment.wrapping_add(1)).copied().unwrap_or(0);
    let rise = high.wrapping_sub(low).wrapping_mul(along) >> 32;
    (place << FRACTION).wrapping_add(low).wrapping_add(rise)
}

const fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// FNV-1a.
pub(crate) fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

pub(crate) fn hash(payment: PaymentId, seed: u64) -> u64 {
    let (hi, lo) = payment.uuid().as_u64_pair();
    mix(mix(mix(seed) ^ hi) ^ lo)
}

pub(crate) fn cost(h: u64) -> u64 {
    match h.checked_add(1) {
        Some(x) => LOG_OF_ALL.wrapping_sub(log2(x)),
        None => 0,
    }
}

/// Of channels given as (name hash, weight above 0, anything), the one that gets the payment.
pub(crate) fn choose<T>(payment: PaymentId, channels: impl Iterator<Item = (u64, u32, T)>) -> Option<T> {
    let priced = channels.map(|(name, weight, channel)| (cost(hash(payment, name)), weight, name, channel));
    let better = |a: &(u64, u32, u64, T), b: &(u64, u32, u64, T)| {
        let (left, right) = (u128::from(a.0).wrapping_mul(b.1.into()), u128::from(b.0).wrapping_mul(a.1.into()));
        (left, a.2) < (right, b.2)
    };
    priced.reduce(|best, next| if better(&next, &best) { next } else { best }).map(|(.., channel)| channel)
}

/// Whether the payment is among the percentage that probes the channel.
pub(crate) fn in_share(payment: PaymentId, name_hash: u64, share: Percent) -> bool {
    let h = hash(payment, name_hash ^ 0x70_72_6f_62_65);
    u128::from(h).wrapping_mul(100) >> 64 < u128::from(share.get())
}

#[cfg(test)]
#[expect(clippy::as_conversions, reason = "counts and fractions are compared as floats")]
mod tests {
    use super::*;

    fn payment(digits: &str) -> PaymentId {
        PaymentId::parse(&format!("pay_{digits}")).unwrap()
    }

    /// Ids as they come: a time in the upper bits, chance in the lower.
    fn payments(count: u64) -> impl Iterator<Item = PaymentId> {
        (0..count).map(|n| payment(&format!("0197{:08x}7{:03x}8{:015x}", n / 7, n % 4096, mix(n) >> 4)))
    }

    #[test]
    fn logarithms_are_right_and_rise() {
        for x in [1, 2, 3, 10, 1023, 1 << 40, (1 << 40) + 12345, u64::MAX / 3, u64::MAX - 1, u64::MAX] {
            let exact = (x as f64).log2();
            let ours = log2(x) as f64 / (1_u64 << FRACTION) as f64;
            assert!((exact - ours).abs() < 3e-7, "{x}: {exact} {ours}");
        }
        let mut last = 0;
        for x in (0..1_000_000).map(|n| (1 << 62) + n * 13_000_000_000_000) {
            assert!(log2(x) >= last);
            last = log2(x);
        }
    }

    /// The vectors of the module's documentation: a change here moves payments that were promised to stay.
    #[test]
    fn vectors_hold() {
        let row = |digits: &str, name: &str| {
            let h = hash(payment(digits), name_hash(name));
            (h, cost(h))
        };
        let one = "01970000000070008000000000000001";
        assert_eq!(row(one, "adyen_eu"), (14_455_602_170_508_048_342, 386_739_488_628));
        assert_eq!(row(one, "stripe_eu"), (4_872_145_947_828_847_371, 2_111_872_694_962));
        assert_eq!(row("01970000000070008000000000000002", "adyen_eu"), (9_803_316_546_126_518_863, 1_002_781_573_921));
        assert_eq!(row(&"f".repeat(32), "a"), (4_320_453_037_290_128_675, 2_302_500_203_670));
        assert_eq!(
            [1, 3, (1 << 63) + 1, u64::MAX].map(log2),
            [0, 1_742_684_699_131, 69_269_232_549_888, 70_368_744_177_663]
        );
        assert_eq!(cost(u64::MAX), 0);
        assert_eq!(cost(0), LOG_OF_ALL);
    }

    #[test]
    fn shares_follow_weights() {
        let channels = [("adyen_eu", 70), ("stripe_eu", 29), ("haipay", 1)];
        let mut counts = [0_u32; 3];
        for payment in payments(200_000) {
            let rows = channels.iter().enumerate().map(|(at, &(name, weight))| (name_hash(name), weight, at));
            counts[choose(payment, rows).unwrap()] += 1;
        }
        // Within five standard deviations of a binomial.
        for (count, (_, weight)) in counts.into_iter().zip(channels) {
            let share = f64::from(weight) / 100.0;
            let sigma = (200_000.0 * share * (1.0 - share)).sqrt();
            assert!((f64::from(count) - 200_000.0 * share).abs() < 5.0 * sigma, "{counts:?}");
        }
    }

    #[test]
    fn an_absent_channel_moves_only_its_own() {
        let all = [("a", 5, 'a'), ("b", 3, 'b'), ("c", 2, 'c')];
        let chosen = |payment, without| {
            let rows = all
                .iter()
                .filter(|row| row.2 != without)
                .map(|&(name, weight, channel)| (name_hash(name), weight, channel));
            choose(payment, rows).unwrap()
        };
        for payment in payments(5_000) {
            let before = chosen(payment, '-');
            if before != 'b' {
                assert_eq!(chosen(payment, 'b'), before);
            }
        }
    }

    #[test]
    fn probes_are_their_share() {
        for percent in [1, 5, 50, 100] {
            let share = Percent::new(percent).unwrap();
            let probing = payments(50_000).filter(|&payment| in_share(payment, name_hash("adyen_eu"), share)).count();
            let expected = 50_000.0 * f64::from(percent) / 100.0;
            assert!((probing as f64 - expected).abs() < 5.0 * expected.sqrt() + 1.0, "{percent}: {probing}");
        }
    }
}
