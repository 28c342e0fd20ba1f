//! Where the grant of a caller is made from.

use std::{fmt, sync::Arc};

use crate::{AuthError, AuthErrorKind, Grant, Principal, grant::CompiledMapping, json::Object};

/// Where the grant of a caller is made from.
pub(crate) enum GrantSource<G> {
    /// From the claims as they stand, by the mapping of the issuer.
    Claims(fn(&CompiledMapping, &Object<'_>) -> Result<G, AuthError>),
    /// From the caller, by a function of the application.
    Principal(PrincipalMapping<G>),
}

impl GrantSource<Grant> {
    pub(crate) const DEFAULT: Self = Self::Claims(CompiledMapping::grant);
}

/// A function of the application.
pub(crate) struct PrincipalMapping<G> {
    function: Arc<MappingFunction<G>>,
}

type MappingFunction<G> = dyn Fn(&Principal) -> Result<G, AuthError> + Send + Sync;

impl<G> PrincipalMapping<G> {
    pub(crate) fn new(
        function: impl Fn(&Principal) -> Result<G, AuthError> + Send + Sync + 'static,
    ) -> Self {
        Self { function: Arc::new(function) }
    }

    pub(crate) fn map(&self, principal: &Principal) -> Result<G, AuthError> {
        (self.function)(principal).map_err(|error| match error.kind() {
            // There were credentials: an optional layer must not take this for a request without.
            AuthErrorKind::NoCredentials => AuthErrorKind::NotPermitted.into(),
            _ => error,
        })
    }
}

impl<G> fmt::Debug for PrincipalMapping<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrincipalMapping").finish_non_exhaustive()
    }
}

impl<G> fmt::Debug for GrantSource<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claims(_) => "Claims",
            Self::Principal(_) => "Principal",
        })
    }
}
