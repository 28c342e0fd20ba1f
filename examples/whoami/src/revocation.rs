//! The endpoints that revoke tokens.

use portcullis_axum::{
    Authenticator, policy,
    revocation::{BackchannelLogoutEndpoint, EndpointError, RevokeEndpoint},
};

/// The endpoints of `/revoke` and `/backchannel-logout`.
#[derive(Clone)]
pub(crate) struct Endpoints {
    pub(crate) revoke: RevokeEndpoint,
    pub(crate) backchannel_logout: BackchannelLogoutEndpoint,
}

impl Endpoints {
    /// Returns none if the configuration has no `[revocation]`.
    pub(crate) fn new(
        auth: &Authenticator,
        client_ids: &[String],
    ) -> Result<Option<Self>, EndpointError> {
        if auth.revocations().is_none() {
            return Ok(None);
        }
        let revoke = RevokeEndpoint::new(auth)?.admin(policy::role("admin"));
        let backchannel_logout = BackchannelLogoutEndpoint::new(auth, client_ids)?;
        Ok(Some(Self { revoke, backchannel_logout }))
    }
}
