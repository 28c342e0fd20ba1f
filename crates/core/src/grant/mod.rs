//! What a caller may do: the grant, and where it comes from.

mod compiled;
mod error;
mod mapping;
pub(crate) mod reads;
mod split;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(crate) use compiled::CompiledMapping;
pub use error::GrantMappingError;
pub use mapping::GrantMapping;
pub(crate) use reads::{Watched, watch};

pub use crate::{
    grant_source::{Account, AccountStatus, DelegationResolver, GrantResolver, ResolverConfig},
    scope::Scope,
};

/// What a caller may do: scopes, roles, permissions on resources, and groups.
///
/// It is made from the claims of a valid token, by the issuer's [`GrantMapping`]. (An OAuth
/// `grant_type` is another thing: the way in which a client got its token.) An application with
/// rights of its own brings its own type; see
/// [`AuthenticatorBuilder::with_grant`](crate::AuthenticatorBuilder::with_grant).
///
/// # Claims that the token does not include
///
/// A token can say that a claim is elsewhere instead of including it: `_claim_names`
/// ([OpenID Connect Core §5.6.2]), or `hasgroups` of Microsoft Entra, for the groups of a member of very
/// many. A part of the grant that such a claim provides is *unknown*, not empty:
/// [`is_complete`](Self::is_complete) returns `false`. A rule that needs an unknown part rejects the
/// request, also inside of [`not`](crate::Policy::not), as
/// [`ClaimNotIncluded`](crate::AuthErrorKind::ClaimNotIncluded) (403). So does a function of the
/// application that the engine calls (a rule, a mapping or a resolver) and that reads the part on the
/// thread, or in the future, that the engine runs. A handler is not watched: it calls `is_complete`
/// before it concludes anything from a role, group, scope or permission that is missing.
///
/// To supply the part, look it up in a [resolver](crate::AuthenticatorBuilder::with_resolver):
///
/// ```
/// use portcullis::{Authenticator, Principal, grant::ResolverConfig};
///
/// # async fn groups_of(_subject: &str) -> Vec<String> { Vec::new() }
/// let resolver = ResolverConfig::new(|caller: Principal| async move {
///     let grant = caller.standard_grant()?;
///     if grant.is_complete() {
///         return Ok(grant);
///     }
///     let groups = groups_of(caller.subject()).await;
///     Ok(grant.into_builder().groups(groups).build())
/// });
/// let builder = Authenticator::builder().with_resolver(resolver);
/// ```
///
/// # Examples
///
/// ```
/// use portcullis::Grant;
///
/// let grant = Grant::builder().scope("orders:read").roles(["admin"]).build();
/// assert!(grant.has_scope("orders:read") && grant.has_role("admin"));
/// ```
///
/// [OpenID Connect Core §5.6.2]: https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Grant {
    scope: Scope,
    roles: Vec<Box<str>>,
    permissions: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    groups: Vec<Box<str>>,
    /// The parts whose claims the token does not include.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_included: Vec<Part>,
}

/// A part of a grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Scope,
    Roles,
    Permissions,
    Groups,
}

impl Grant {
    /// Starts a grant without any right.
    pub fn builder() -> GrantBuilder {
        GrantBuilder { grant: Self::default() }
    }

    /// Starts a grant with the rights of this one. What is set on it is known from then on.
    pub fn into_builder(self) -> GrantBuilder {
        GrantBuilder { grant: self }
    }

    /// Returns whether every part is known: the token includes each claim that the mapping reads.
    ///
    /// If it is `false`, a role, group, scope or permission that is missing here may exist all the same.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.not_included.is_empty()
    }

    /// Returns the scope.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        self.read(Part::Scope);
        &self.scope
    }

    /// Returns the roles.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.read(Part::Roles);
        self.roles.iter().map(AsRef::as_ref)
    }

    /// Returns the groups.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.read(Part::Groups);
        self.groups.iter().map(AsRef::as_ref)
    }

    /// Returns the permissions: each level on each resource.
    pub fn permissions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.read(Part::Permissions);
        self.permissions
            .iter()
            .flat_map(|(resource, levels)| levels.iter().map(|level| (&**resource, &**level)))
    }

    /// Tells whether the grant has a scope token.
    #[must_use]
    pub fn has_scope(&self, token: &str) -> bool {
        self.scope.contains(token) || self.lacks(Part::Scope)
    }

    /// Tells whether the grant has a role.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|own| **own == *role) || self.lacks(Part::Roles)
    }

    /// Tells whether the grant has a level on a resource.
    #[must_use]
    pub fn has_permission(&self, resource: &str, level: &str) -> bool {
        self.permissions.get(resource).is_some_and(|levels| levels.contains(level))
            || self.lacks(Part::Permissions)
    }

    /// Returns the levels on a resource.
    pub fn levels_on(&self, resource: &str) -> impl Iterator<Item = &str> {
        self.read(Part::Permissions);
        self.permissions.get(resource).into_iter().flatten().map(AsRef::as_ref)
    }

    /// Tells whether the caller is in a group.
    #[must_use]
    pub fn is_in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| **own == *group) || self.lacks(Part::Groups)
    }

    /// Notes that someone reads a part.
    #[inline]
    fn read(&self, part: Part) {
        if self.not_included.contains(&part) {
            reads::count();
        }
    }

    /// Notes that someone looked for an entry of a part and did not find it. Returns `false`.
    #[inline]
    fn lacks(&self, part: Part) -> bool {
        self.read(part);
        false
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
        self.knows(Part::Scope)
    }

    /// The roles. Default: none.
    pub fn roles<I: IntoIterator<Item: Into<Box<str>>>>(mut self, roles: I) -> Self {
        self.grant.roles = roles.into_iter().map(Into::into).collect();
        self.knows(Part::Roles)
    }

    /// The groups. Default: none.
    pub fn groups<I: IntoIterator<Item: Into<Box<str>>>>(mut self, groups: I) -> Self {
        self.grant.groups = groups.into_iter().map(Into::into).collect();
        self.knows(Part::Groups)
    }

    fn knows(mut self, part: Part) -> Self {
        self.grant.not_included.retain(|own| *own != part);
        self
    }

    /// Adds a permission: a level, such as `write`, on a resource. Permissions that are unknown in the
    /// grant that this was [made from](Grant::into_builder) stay unknown.
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
