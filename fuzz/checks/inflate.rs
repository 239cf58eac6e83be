//! Any bytes as a packed body, with any limits: what comes out is within them, memory too, and every place that
//! was taken for it comes back. Read by the fuzz target and by ingest's tests; a broken promise is a panic.

use super::allocations;
use livemeter_ingest::body::{self, Packing};
use livemeter_ingest::gate::Gate;

/// Ingest lets this much through whatever the ratio.
const RATIO_FREE_BYTES: usize = 64 * 1024;
/// Tables and window of the inflater, and of a refusal.
const FIXED_BYTES: usize = 512 * 1024;
const GATE_BYTES: usize = 8 << 20;

/// The first byte says how much may come out, the second how many times the size, the third how it is packed
/// (even: gzip; odd: zstd); the rest is the body.
pub fn check(data: &[u8]) {
    let [max, ratio, packing, packed @ ..] = data else { return };
    let max = (usize::from(*max) + 1) << 12;
    let ratio = usize::from(*ratio) + 1;
    let limit = max.min(packed.len().saturating_mul(ratio).max(RATIO_FREE_BYTES));
    let gate = Gate::new("bytes", GATE_BYTES);
    let mut room = gate.room();
    allocations::forget_peak();
    let packing = if packing % 2 == 0 { Packing::Gzip } else { Packing::Zstd };
    let inflated = body::inflate(packing, packed, max, ratio, &mut room);
    let peak = allocations::peak_bytes();
    // The text, and the text once more while it grows into a larger place.
    let allowed = 3 * limit + FIXED_BYTES;
    assert!(peak <= allowed, "{peak} bytes were held at once; {allowed} are allowed for a limit of {limit}");
    match &inflated {
        Ok(plain) => assert!(plain.len() <= limit, "{} bytes came out; the limit is {limit}", plain.len()),
        Err(fault) => assert!(fault.to_string().len() <= 400, "{fault}"),
    }
    assert!(gate.taken() <= limit, "{} bytes were taken from the gate; the limit is {limit}", gate.taken());
    drop(room);
    assert_eq!(gate.taken(), 0);
}
