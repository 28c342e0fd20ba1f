//! Revocation of tokens before they expire, and tokens that may be used once.
//!
//! A [`Revocation`] names what is revoked: one token, or all tokens of a subject, a session, a client or a
//! key. A [`RevocationStore`] keeps revocations for all replicas of a service, and a [`ReplayStore`] keeps
//! the ids of tokens that were used. An engine uses a store by its [`Revocations`].

mod endpoint;
mod entry;
mod error;
mod follower;
mod handle;
mod memory;
mod one_time;
mod question;
mod replay;
mod set;
mod status;
mod store;
mod task;

/// How far the clocks of replicas and of a store may differ. An entry is kept this much longer than a token
/// can need it, so that a clock that is ahead deletes nothing which a replica still needs.
pub(crate) const CLOCK_MARGIN: std::time::Duration = std::time::Duration::from_secs(60);

pub use crate::endpoint::{CookieAttributes, SameSite, SetCookies};
pub use endpoint::{BackchannelLogoutEndpoint, EndpointError, LogoutEndpoint, RevokeEndpoint};
pub use entry::{Revocation, Revoked};
pub use error::{StoreError, StoreErrorKind};
pub use handle::Revocations;
pub(crate) use handle::not_configured;
pub use memory::MemoryStore;
pub(crate) use one_time::{OneTimeUse, TIMEOUT};
pub use replay::{ReplayStore, Use};
pub(crate) use set::{IssuerName, Question};
pub use status::RevocationStatus;
pub use store::{Changes, Position, RevocationStore};
