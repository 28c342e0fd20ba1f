//! Who looks on while a token is proven.

use super::{PeekedJwt, verify::VerifiedJws};
use crate::{
    NumericDate,
    issuer::IssuerConfig,
    keys::{Candidates, Keys},
};

/// Looks on while a token is proven: each method is called when a stage has let the token pass.
///
/// It is given what the stages have, and nothing comes back from it: what it tells cannot change the
/// verdict, nor differ from it. `()` looks away, and costs nothing.
pub(crate) trait Observer {
    /// A strategy says that the token is none of its.
    fn abstained(&mut self, _name: &str) {}

    /// A strategy accepts the token, or rejects it.
    fn known_to(&mut self, _name: &str) {}

    /// The token was taken apart.
    fn peeked(&mut self, _token: &PeekedJwt<'_, '_>) {}

    /// Its issuer was found, which has these keys now.
    fn selected(&mut self, _issuer: &IssuerConfig, _keys: &Keys) {}

    /// These keys may have signed it.
    fn located(&mut self, _candidates: &Candidates<'_>) {}

    /// It was read to its end.
    fn complete(&mut self) {}

    /// One of the keys has signed it.
    fn verified(&mut self, _token: &VerifiedJws<'_>, _now: NumericDate) {}

    /// Its claims hold.
    fn valid(&mut self) {}

    /// Nothing outside of it speaks against it.
    fn checked(&mut self) {}
}

impl Observer for () {}
