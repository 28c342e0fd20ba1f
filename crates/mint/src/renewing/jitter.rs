//! Chance, so that the instances of a service do not request their tokens at the same time.

use std::time::Duration;

/// Draws are 0 to this.
pub(super) const MAX_DRAW: u32 = 1024;

/// Draws a number from 0 to [`MAX_DRAW`].
pub(super) fn draw() -> u32 {
    let mut bytes = [0; 2];
    // Without random bytes there is no jitter.
    aws_lc_rs::rand::fill(&mut bytes)
        .map_or(0, |()| u32::from(u16::from_be_bytes(bytes)) % (MAX_DRAW + 1))
}

/// Returns the fraction of a time that was drawn: 0 to the whole of it.
pub(super) fn jitter(most: Duration, draw: u32) -> Duration {
    most / MAX_DRAW * draw.min(MAX_DRAW)
}
