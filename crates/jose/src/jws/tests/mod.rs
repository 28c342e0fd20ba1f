//! The verify stage against vectors that others have published.

mod rfc;
mod wycheproof;
