//! What the caller may do.

mod compiled;
mod mapping;
mod split;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(crate) use compiled::CompiledMapping;
pub use mapping::GrantMapping;

use crate::Scope;

/// What a caller may do: scopes, roles, permissions on resources, and groups.
///
/// It is made from the claims of a valid token, by the issuer's [`GrantMapping`]. (An OAuth
/// `grant_type` is another thing: the way in which a client got its token.) An application with
/// rights of its own brings its own type; see
/// [`AuthenticatorBuilder::with_grant`](crate::AuthenticatorBuilder::with_grant).
///
/// # Examples
///
/// ```
/// use portcullis::Grant;
///
/// let grant = Grant::builder().scope("orders:read").roles(["admin"]).build();
/// assert!(grant.has_scope("orders:read") && grant.has_role("admin"));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Grant {
    scope: Scope,
    roles: Vec<Box<str>>,
    permissions: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    groups: Vec<Box<str>>,
}

impl Grant {
    /// Starts a grant without any right.
    pub fn builder() -> GrantBuilder {
        GrantBuilder { grant: Self::default() }
    }

    /// Returns the scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the roles.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(AsRef::as_ref)
    }

    /// Returns the groups.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(AsRef::as_ref)
    }

    /// Returns the permissions: each level on each resource.
    pub fn permissions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.permissions
            .iter()
            .flat_map(|(resource, levels)| levels.iter().map(|level| (&**resource, &**level)))
    }

    /// Tells whether the grant has a scope token.
    #[must_use]
    pub fn has_scope(&self, token: &str) -> bool {
        self.scope.contains(token)
    }

    /// Tells whether the grant has a role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| **own == *role)
    }

    /// Tells whether the grant has a level on a resource.
    #[must_use]
    pub fn has_permission(&self, resource: &str, level: &str) -> bool {
        self.permissions.get(resource).is_some_and(|levels| levels.contains(level))
    }

    /// Returns the levels on a resource.
    pub fn levels_on(&self, resource: &str) -> impl Iterator<Item = &str> {
        self.permissions.get(resource).into_iter().flatten().map(AsRef::as_ref)
    }

    /// Tells whether the caller is in a group.
    #[must_use]
    pub fn is_in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| **own == *group)
    }

    fn permit(&mut self, resource: Box<str>, level: Box<str>) {
        self.permissions.entry(resource).or_default().insert(level);
    }
}

/// Builds a [`Grant`].
#[derive(Clone, Debug)]
#[must_use]
pub struct GrantBuilder {
    grant: Grant,
}

impl GrantBuilder {
    /// The scope. Default: empty.
    pub fn scope(mut self, scope: impl Into<Scope>) -> Self {
        self.grant.scope = scope.into();
        self
    }

    /// The roles. Default: none.
    pub fn roles<I: IntoIterator<Item: Into<Box<str>>>>(mut self, roles: I) -> Self {
        self.grant.roles = roles.into_iter().map(Into::into).collect();
        self
    }

    /// The groups. Default: none.
    pub fn groups<I: IntoIterator<Item: Into<Box<str>>>>(mut self, groups: I) -> Self {
        self.grant.groups = groups.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a permission: a level, such as `write`, on a resource.
    pub fn permission(mut self, resource: impl Into<Box<str>>, level: impl Into<Box<str>>) -> Self {
        self.grant.permit(resource.into(), level.into());
        self
    }

    /// Returns the grant.
    #[must_use]
    pub fn build(self) -> Grant {
        self.grant
    }
}
