//! Device clock → corrected clock, and the windows of the ledger. Pure arithmetic on milliseconds.

use crate::limits::Limits;
use crate::refusal::{Code, Refusal};

/// The ledger's window: 5 minutes, the sample of every percentile bill.
pub const WINDOW_MS: i64 = 5 * 60 * 1000;

/// The start of the window that holds `at_ms`.
pub fn window_start_ms(at_ms: i64) -> i64 {
    at_ms.div_euclid(WINDOW_MS) * WINDOW_MS
}

/// What must be added to a session's clock to get ours. `sent_at_ms` is read from the session's clock
/// at each attempt to send, so it includes the network's delay and nothing else.
/// Without it the device's clock is taken as right.
pub fn correction_ms(sent_at_ms: Option<i64>, received_at_ms: i64) -> i64 {
    sent_at_ms.map_or(0, |sent| received_at_ms.saturating_sub(sent))
}

/// Refuses an event whose time cannot be right: later than the batch that carries it, or older than
/// any queue may be. A device whose whole clock is wrong is *not* refused: `sent_at_ms` corrects it.
pub fn check(at_ms: i64, sent_at_ms: Option<i64>, received_at_ms: i64, limits: &Limits) -> Result<(), Refusal> {
    let (reference, name) = match sent_at_ms {
        Some(sent) => (sent, "sent_at_ms"),
        None => (received_at_ms, "the time of receipt (no sent_at_ms was given)"),
    };
    let ahead = at_ms.saturating_sub(reference);
    if ahead > limits.ahead_ms_max {
        return Err(clock(format!("at_ms is {ahead} ms after {name}; the limit is {}", limits.ahead_ms_max), ahead, limits.ahead_ms_max));
    }
    let age = ahead.saturating_neg();
    if age > limits.age_ms_max {
        return Err(clock(format!("at_ms is {age} ms before {name}; the limit is {}", limits.age_ms_max), age, limits.age_ms_max));
    }
    Ok(())
}

fn clock(reason: String, value: i64, limit: i64) -> Refusal {
    Refusal { code: Code::Clock, field: Some("at_ms".into()), reason, value: Some(value), limit: Some(limit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_for_times_before_1970() {
        assert_eq!(window_start_ms(0), 0);
        assert_eq!(window_start_ms(299_999), 0);
        assert_eq!(window_start_ms(300_000), 300_000);
        assert_eq!(window_start_ms(-1), -300_000);
    }

    #[test]
    fn a_clock_a_year_off_is_corrected_when_the_batch_says_so_and_refused_when_not() {
        let (now, year) = (1_790_000_000_000, 365 * 86_400_000);
        let limits = Limits::default();
        assert!(check(now - year, Some(now - year + 50), now, &limits).is_ok());
        assert_eq!(correction_ms(Some(now - year), now), year);
        for at in [now - year, now + year] {
            let refusal = check(at, None, now, &limits).unwrap_err();
            assert_eq!(refusal.code, Code::Clock);
            assert_eq!(refusal.field.as_deref(), Some("at_ms"));
            assert_eq!(refusal.value, Some(year));
        }
        assert!(check(i64::MAX, Some(i64::MIN), now, &limits).is_err());
    }

    proptest::proptest! {
        #[test]
        fn every_time_lies_in_its_window(at in -4_000_000_000_000i64..4_000_000_000_000) {
            let start = window_start_ms(at);
            assert!(start <= at && at < start + WINDOW_MS && start % WINDOW_MS == 0);
        }

        #[test]
        fn no_clock_makes_it_panic(at: i64, sent: Option<i64>, received: i64) {
            let _ = check(at, sent, received, &Limits::default());
            let _ = correction_ms(sent, received);
        }
    }
}
