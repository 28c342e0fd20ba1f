//! What a token claims: dates and the places that claims are found at.

mod fields;
mod not_included;
mod path;

pub(crate) use fields::may_read;
pub(crate) use not_included::{NotIncluded, not_included};
pub(crate) use path::ClaimPath;
pub use path::ClaimPathError;
