//! What a token claims: dates and the places that claims are found at.

mod numeric_date;
mod path;

pub use numeric_date::NumericDate;
pub(crate) use numeric_date::are_digits;
pub(crate) use path::ClaimPath;
