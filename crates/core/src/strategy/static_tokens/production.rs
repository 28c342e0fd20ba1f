//! The rules for tokens in production.

use crate::ProductionError;

/// The shortest token in production, in bytes: 16 random bytes cannot be guessed.
const SHORTEST: usize = 16;

/// The shortest token that is not warned of, in bytes: 16 random bytes in hexadecimal digits.
const RECOMMENDED: usize = 32;

/// Rejects tokens that can be guessed. A token that is known by its digest alone is not checked.
pub(super) fn check_lengths(set: &str, shortest: Option<usize>) -> Result<(), ProductionError> {
    if shortest.is_some_and(|len| len < SHORTEST) {
        let error = ProductionError::ShortToken { name: set.to_owned() };
        return Err(error);
    }
    Ok(())
}

/// Warns of tokens that are allowed and shorter than they should be.
#[cfg_attr(
    not(feature = "tracing"),
    expect(clippy::missing_const_for_fn, reason = "with the log it is not")
)]
pub(super) fn warn_of_short(set: &str, shortest: Option<usize>) {
    #[cfg(feature = "tracing")]
    if shortest.is_some_and(|len| len < RECOMMENDED) {
        tracing::warn!(
            target: "portcullis",
            name = set,
            "a static token has fewer than {RECOMMENDED} bytes: use the text of 32 random bytes"
        );
    }
    #[cfg(not(feature = "tracing"))]
    let _ = (set, shortest, RECOMMENDED);
}
