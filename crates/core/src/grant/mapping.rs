//! Which claims hold the rights.

use std::sync::Arc;

use super::GrantMappingError;
use super::{
    compiled::{CompiledMapping, Permissions},
    split::Split,
};
use crate::{AuthError, Grant, Principal, claims::ClaimPath, grant_source::PrincipalMapping};

/// Which claims of an issuer's tokens hold scopes, roles, permissions and groups.
///
/// A claim is named by its member name, or by a JSON pointer with a leading slash: `/a/b` is member
/// `b` of member `a`, while a dot is a character like any other. A pointer leads through objects
/// only, not into lists. Of several names
/// the first that is there counts. A claim that is there with another JSON type is an error, never
/// an empty list.
///
/// | part | claims by default | read as |
/// |---|---|---|
/// | scope | `scope`, `scp` | a text with spaces between, or a list |
/// | roles | `roles` | a list, or one text for one role |
/// | groups | `groups` | a list, or one text for one group |
/// | permissions | none | a list of `resource:level`; an entry without the separator grants nothing |
///
/// A claim that the token names and [does not include](crate::Grant#claims-that-the-token-does-not-include)
/// leaves its part unknown, unless one that is named before it is there.
///
/// Roles may stand in several claims at once ([`more_roles`](Self::more_roles)). Claims of another form, and
/// roles that the token does not name, are for a function ([`from_fn`](Self::from_fn)).
///
/// # Examples
///
/// ```
/// use portcullis::GrantMapping;
///
/// // Roles of the realm, and those of this client.
/// let keycloak = GrantMapping::default()
///     .roles(["/realm_access/roles"])
///     .more_roles(["/resource_access/orders/roles"]);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GrantMapping {
    scope: Vec<String>,
    roles: Vec<String>,
    more_roles: Vec<String>,
    groups: Vec<String>,
    permissions: Option<(String, Form)>,
    malformed: Malformed,
    function: Option<Arc<PrincipalMapping<Grant>>>,
}

/// How an entry of the permissions tells resource and level.
#[derive(Clone, Debug)]
enum Form {
    Separator(String),
    #[cfg(feature = "regex")]
    Pattern(String),
}

/// What becomes of permissions that have another JSON type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Malformed {
    Rejected,
    Ignored,
}

impl Default for GrantMapping {
    fn default() -> Self {
        Self {
            scope: vec!["scope".to_owned(), "scp".to_owned()],
            roles: vec!["roles".to_owned()],
            more_roles: Vec::new(),
            groups: vec!["groups".to_owned()],
            permissions: None,
            malformed: Malformed::Rejected,
            function: None,
        }
    }
}

impl GrantMapping {
    /// A mapping that reads no claim: for services that say which claims count, and where any other may
    /// hold what it likes, of whatever type.
    ///
    /// ```
    /// use portcullis::GrantMapping;
    ///
    /// let groups_are_roles = GrantMapping::empty().roles(["groups"]);
    /// ```
    pub fn empty() -> Self {
        let none: [&str; 0] = [];
        Self::default().scope(none).roles(none).groups(none)
    }

    /// A mapping by a function of the application, for claims that the settings cannot express. Other
    /// settings of the mapping have no effect then.
    ///
    /// It runs after the token was found valid, for each request, so it must be quick. The request is
    /// rejected with the error that it returns. If it panics, the request is rejected with an [internal
    /// error](crate::AuthErrorKind::InternalError). If it reads a claim that the token
    /// [does not include](crate::Grant#claims-that-the-token-does-not-include), the request is rejected, whatever it
    /// returns.
    ///
    /// An application whose whole engine has a grant of its own type uses
    /// [`with_grant_from`](crate::AuthenticatorBuilder::with_grant_from) instead.
    ///
    /// ```
    /// use portcullis::{Grant, GrantMapping};
    ///
    /// // `"level": 7` stands for three roles.
    /// let mapping = GrantMapping::from_fn(|caller| {
    ///     let level: u32 = caller.claim("level")?.unwrap_or(0);
    ///     let roles = [(1, "reader"), (2, "writer"), (4, "admin")];
    ///     let held = roles.iter().filter(|(bit, _)| level & bit != 0).map(|(_, role)| *role);
    ///     Ok(Grant::builder().roles(held).build())
    /// });
    /// ```
    pub fn from_fn(
        function: impl Fn(&Principal) -> Result<Grant, AuthError> + Send + Sync + 'static,
    ) -> Self {
        Self { function: Some(Arc::new(PrincipalMapping::new(function))), ..Self::empty() }
    }

    /// Returns whether a function of the application makes the grant.
    pub(crate) fn is_function(&self) -> bool {
        self.function.is_some()
    }

    /// The claims that may hold the scope. Default: `scope`, `scp`.
    pub fn scope<I: IntoIterator<Item: Into<String>>>(self, claims: I) -> Self {
        Self { scope: claims.into_iter().map(Into::into).collect(), ..self }
    }

    /// The claims that may hold roles. Default: `roles`.
    pub fn roles<I: IntoIterator<Item: Into<String>>>(self, claims: I) -> Self {
        Self { roles: claims.into_iter().map(Into::into).collect(), ..self }
    }

    /// Claims whose roles are added to the others, each that is there. Default: none.
    pub fn more_roles<I: IntoIterator<Item: Into<String>>>(self, claims: I) -> Self {
        Self { more_roles: claims.into_iter().map(Into::into).collect(), ..self }
    }

    /// The claims that may hold groups. Default: `groups`.
    pub fn groups<I: IntoIterator<Item: Into<String>>>(self, claims: I) -> Self {
        Self { groups: claims.into_iter().map(Into::into).collect(), ..self }
    }

    /// The claim that holds permissions, and what stands between resource and level in each entry.
    /// Default: none.
    pub fn permissions(self, claim: impl Into<String>, separator: impl Into<String>) -> Self {
        Self { permissions: Some((claim.into(), Form::Separator(separator.into()))), ..self }
    }

    /// The claim that holds permissions, and the pattern of each entry: a [regular expression] with the
    /// named groups `resource` and `level`, or `namespace` and `role`. It is searched for anywhere in
    /// the entry, and the first match counts; one without a match grants nothing. Default: none.
    ///
    /// ```
    /// use portcullis::GrantMapping;
    ///
    /// let mapping = GrantMapping::default()
    ///     .permissions_matching("permissions", "^temporal-(?<namespace>[^.]+)\\.(?<role>[a-z]+)$");
    /// ```
    ///
    /// [regular expression]: https://docs.rs/regex/1/regex/#syntax
    #[cfg(feature = "regex")]
    pub fn permissions_matching(
        self,
        claim: impl Into<String>,
        pattern: impl Into<String>,
    ) -> Self {
        Self { permissions: Some((claim.into(), Form::Pattern(pattern.into()))), ..self }
    }

    /// Takes permissions that are no list for none, one text too, and skips entries of another type, as
    /// Temporal does. Default: such tokens are rejected.
    ///
    /// # Security
    ///
    /// A slip of the issuer makes callers with fewer rights than it meant. Rules made with
    /// [`not`](crate::Policy::not) allow these.
    pub fn dangerous_ignore_malformed_permissions(self) -> Self {
        Self { malformed: Malformed::Ignored, ..self }
    }

    /// Checks the mapping, as building an engine with it does.
    ///
    /// # Errors
    ///
    /// A [`GrantMappingError`](crate::error::GrantMappingError): a claim path, a pattern or an empty part.
    pub fn check(&self) -> Result<(), GrantMappingError> {
        self.compile().map(|_| ())
    }

    pub(crate) fn compile(&self) -> Result<CompiledMapping, GrantMappingError> {
        let permissions = match &self.permissions {
            None => None,
            Some((claim, form)) => Some(Permissions {
                claim: ClaimPath::parse(claim)?,
                split: form.compile()?,
                malformed: self.malformed,
            }),
        };
        Ok(CompiledMapping {
            scope: ClaimPath::parse_all(&self.scope)?,
            roles: ClaimPath::parse_all(&self.roles)?,
            more_roles: ClaimPath::parse_all(&self.more_roles)?,
            groups: ClaimPath::parse_all(&self.groups)?,
            permissions,
            function: self.function.clone(),
        })
    }
}

impl Form {
    fn compile(&self) -> Result<Split, GrantMappingError> {
        match self {
            Self::Separator(separator) if separator.is_empty() => {
                Err(GrantMappingError::Empty { part: "separator of permissions" })
            }
            Self::Separator(separator) => Ok(Split::Separator(separator.clone())),
            #[cfg(feature = "regex")]
            Self::Pattern(pattern) => Split::pattern(pattern),
        }
    }
}
