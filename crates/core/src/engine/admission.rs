//! Which requests without a caller are admitted.

use crate::ProductionError;

/// Whether requests without a caller are let through.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Admission {
    /// None is. The default.
    #[default]
    Required,
    /// Those *without* credentials are. Bad credentials are rejected.
    Optional,
    /// All are: without credentials, and with any that are bad, malformed or cannot be judged. The
    /// handler sees the failure.
    ///
    /// # Security
    ///
    /// Whatever the handler does for anonymous callers it does for forged and expired tokens too.
    DangerousFailed,
}

/// Which requests without a caller an engine lets through, as far as a route asks for an [`Admission`].
///
/// A route that is declared public is not limited:
/// [`Verdict::for_public_route`](crate::adapter::Verdict::for_public_route).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AnonymousLimit {
    /// As the route says.
    Any,
    /// Those without credentials.
    WithoutCredentials,
    None,
}

impl AnonymousLimit {
    pub(crate) fn new(production: bool, optional_credentials: bool) -> Self {
        match (production, optional_credentials) {
            (false, _) => Self::Any,
            (true, true) => Self::WithoutCredentials,
            (true, false) => Self::None,
        }
    }

    /// Returns what a route may do of what it asks for.
    pub(crate) fn limited(self, admission: Admission) -> Admission {
        match (self, admission) {
            (Self::Any, admission) => admission,
            (Self::WithoutCredentials, Admission::Optional) => Admission::Optional,
            (Self::WithoutCredentials | Self::None, _) => Admission::Required,
        }
    }

    /// Checks that a route gets what it asks for.
    pub(crate) fn check(self, admission: Admission) -> Result<(), ProductionError> {
        if self.limited(admission) == admission {
            return Ok(());
        }
        Err(match admission {
            Admission::DangerousFailed => ProductionError::FailedCredentials,
            _ => ProductionError::OptionalCredentials,
        })
    }
}
