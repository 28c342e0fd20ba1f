//! Hostile tokens and requests, and beside them good ones that look alike.
//!
//! Each row stands for a CVE, or for a section of `docs/threats.md`, the list of known failures of
//! JWT software: §1 confusion of algorithm and key, §2 keys and URLs of the attacker's choice,
//! §3 claims, §4 form and size, §5 mathematics of signatures, §7 the best practices of RFC 8725 and
//! its second edition, §8 what the crate `jsonwebtoken` lets through, §9 shapes for every parser.
//! RFC 6265, RFC 6750 and RFC 9110 stand for how a token is brought (§6).

mod algorithms;
mod claims;
mod configurations;
mod controls;
mod dates;
mod documents;
mod fields;
mod form;
mod header;
mod jsonwebtoken;
mod keys;
mod locations;
mod signatures;
mod sizes;

pub use configurations::{ConfigRow, rows as configurations};
pub use controls::rows as accepted;

use crate::{Row, Setting};

/// Returns the rows that must be rejected.
#[must_use]
pub fn rejected(setting: &Setting) -> Vec<Row> {
    [
        algorithms::rows(setting),
        keys::rows(setting),
        claims::rows(setting),
        dates::rows(setting),
        header::rows(setting),
        form::rows(setting),
        documents::rows(setting),
        sizes::rows(setting),
        signatures::rows(setting),
        jsonwebtoken::rows(setting),
        fields::rows(setting),
        locations::rows(setting),
    ]
    .concat()
}
