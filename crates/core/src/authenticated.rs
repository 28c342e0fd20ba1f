//! A caller whose token is valid.

use std::{fmt, sync::Arc};

use crate::{Grant, Principal};

/// A caller whose token is valid.
pub struct Authenticated<G = Grant> {
    principal: Principal,
    grant: Arc<G>,
    others: Vec<Self>,
}

impl<G> Authenticated<G> {
    pub(crate) fn new(principal: Principal, grant: Arc<G>) -> Self {
        Self { principal, grant, others: Vec::new() }
    }

    pub(crate) fn with_others(self, others: Vec<Self>) -> Self {
        Self { others, ..self }
    }

    /// Returns who calls.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Returns what they may do. It is made once and shared.
    #[must_use]
    pub fn grant(&self) -> &Arc<G> {
        &self.grant
    }

    /// Returns the callers of the other tokens, if the engine accepts several in a request. All of
    /// them are valid.
    #[must_use]
    pub fn others(&self) -> &[Self] {
        &self.others
    }

    /// Returns principal and grant.
    #[must_use]
    pub fn into_parts(self) -> (Principal, Arc<G>) {
        (self.principal, self.grant)
    }

    pub(crate) fn into_all(self) -> (Principal, Arc<G>, Vec<Self>) {
        (self.principal, self.grant, self.others)
    }
}

impl<G> Clone for Authenticated<G> {
    fn clone(&self) -> Self {
        Self {
            principal: self.principal.clone(),
            grant: Arc::clone(&self.grant),
            others: self.others.clone(),
        }
    }
}

impl<G: fmt::Debug> fmt::Debug for Authenticated<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticated")
            .field("principal", &self.principal)
            .field("grant", &self.grant)
            .field("others", &self.others)
            .finish()
    }
}
