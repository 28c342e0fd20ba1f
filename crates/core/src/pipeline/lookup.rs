//! With which key? ([RFC 7515 App. D])
//!
//! [RFC 7515 App. D]: https://www.rfc-editor.org/rfc/rfc7515#appendix-D

use std::sync::Arc;

use super::{
    peek::UnverifiedJwt,
    select::Selected,
    stop::{self, Stop},
};
use crate::{
    AuthError, AuthErrorKind, NumericDate,
    issuer::IssuerConfig,
    jws::{Candidates, Segments, SignatureRoom},
    key_source::Asked,
    keys::Keys,
};

/// A token, its issuer, and the keys of that issuer which may have signed it.
#[derive(Debug)]
pub(super) struct Located<'a, 'd, 'k> {
    selected: Selected<'a, 'd, 'k>,
    candidates: Candidates<'k>,
}

impl<'a, 'd: 'a, 'k> Located<'a, 'd, 'k> {
    /// Returns the keys that may have signed it.
    pub(super) fn candidates(&self) -> &Candidates<'k> {
        &self.candidates
    }

    /// Reads what was left of the token.
    ///
    /// # Errors
    ///
    /// As [`PeekedJwt::read_rest`](super::peek::PeekedJwt::read_rest).
    pub(super) fn read_rest(
        self,
        segments: &Segments<'d>,
        room: &'a mut SignatureRoom,
    ) -> Result<Complete<'a, 'k>, AuthError> {
        let issuer = self.selected.issuer();
        let token = self.selected.into_token().read_rest(segments, room)?;
        Ok(Complete { token, issuer, candidates: self.candidates })
    }
}

/// A token that was read to its end, its issuer, and the keys that may have signed it.
#[derive(Debug)]
pub(super) struct Complete<'a, 'k> {
    token: UnverifiedJwt<'a>,
    issuer: &'k Arc<IssuerConfig>,
    candidates: Candidates<'k>,
}

impl<'a, 'k> Complete<'a, 'k> {
    pub(super) fn into_parts(self) -> (UnverifiedJwt<'a>, &'k Arc<IssuerConfig>, Candidates<'k>) {
        (self.token, self.issuer, self.candidates)
    }
}

/// Finds the keys of the issuer that the header may mean.
///
/// # Errors
///
/// [`AuthErrorKind::AlgorithmNotAllowed`], [`AuthErrorKind::UnknownKey`],
/// [`AuthErrorKind::AmbiguousKey`] and [`AuthErrorKind::KeysUnavailable`].
pub(super) fn lookup<'a, 'd: 'a, 'k>(
    selected: Selected<'a, 'd, 'k>,
    keys: &'k Keys,
    now: NumericDate,
    asked: Asked,
) -> Result<Located<'a, 'd, 'k>, Stop> {
    let (token, issuer) = (selected.token(), selected.issuer());
    let algorithm = token.algorithm();
    if !issuer.algorithms.contains(algorithm) {
        let reason = "the issuer does not allow the algorithm";
        return Err(AuthError::because(AuthErrorKind::AlgorithmNotAllowed, reason).into());
    }
    let candidates = keys
        .candidates(token.unverified_key_hint(), algorithm)
        .map_err(|error| stop::at_lookup(error, token, issuer, keys, now, asked))?;
    Ok(Located { selected, candidates })
}
