//! Revocation of tokens before they expire, and tokens that may be used once.
//!
//! A [`Revocation`] names what is revoked: one token, or all tokens of a subject, a session, a client or a
//! key. A [`RevocationStore`] keeps revocations for all replicas of a service, and a [`ReplayStore`] keeps
//! the ids of tokens that were used.

mod entry;
mod error;
mod memory;
mod replay;
mod set;
mod store;

pub use entry::{Revocation, Revoked};
pub use error::{StoreError, StoreErrorKind};
pub use memory::MemoryStore;
pub use replay::{ReplayStore, Use};
pub use store::{Changes, Position, RevocationStore};
