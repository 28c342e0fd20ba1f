//! What a token claims: dates and the places that claims are found at.

mod fields;
mod not_included;
mod numeric_date;
mod path;

pub(crate) use fields::may_read;
pub(crate) use not_included::{NotIncluded, not_included};
pub use numeric_date::NumericDate;
pub(crate) use numeric_date::are_digits;
pub(crate) use path::ClaimPath;
pub use path::ClaimPathError;
