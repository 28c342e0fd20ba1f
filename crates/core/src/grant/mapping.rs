//! Which claims hold the rights.

use std::sync::Arc;

use super::GrantMappingError;
use super::{
    compiled::{CompiledMapping, Entries, Permissions},
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
/// | permissions | none | a list of `resource:level`; an entry without the separator grants nothing. Or a list of lists: a name, and flags |
///
/// A claim that the token names and [does not include](crate::Grant#claims-that-the-token-does-not-include)
/// leaves its part unknown, unless one that is named before it is there.
///
/// Roles may stand in several claims at once ([`more_roles`](Self::more_roles)), and tokens that name
/// none, or none that is [known](Self::known_roles), may be given the least of them
/// ([`default_roles`](Self::default_roles)).
///
/// # Examples
///
/// ```
/// use portcullis::GrantMapping;
///
/// // Roles of the realm, and those of this client.
/// let keycloak = GrantMapping::default()
///     .roles(["/realm_access/roles"])
///     .more_roles(["/resource_access/orders/roles"])
///     .default_roles(["reader"]);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GrantMapping {
    scope: Vec<String>,
    roles: Vec<String>,
    more_roles: Vec<String>,
    known_roles: Option<Vec<String>>,
    default_roles: Vec<String>,
    groups: Vec<String>,
    permissions: Option<(String, Form)>,
    level_case: LevelCase,
    malformed: Malformed,
    function: Option<Arc<PrincipalMapping<Grant>>>,
}

/// How an entry of the permissions tells resource and level.
#[derive(Clone, Debug)]
enum Form {
    Separator(String),
    #[cfg(feature = "regex")]
    Pattern(String),
    Tuple {
        listed: String,
        flags: Vec<String>,
    },
}

/// What becomes of capital letters in levels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LevelCase {
    Kept,
    Lower,
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
            known_roles: None,
            default_roles: Vec::new(),
            groups: vec!["groups".to_owned()],
            permissions: None,
            level_case: LevelCase::Kept,
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

    /// The roles that count; others are left out, as if the token did not name them. Default: all.
    ///
    /// With [`default_roles`](Self::default_roles) a token whose roles mean nothing here has the least,
    /// as one without any.
    pub fn known_roles<I: IntoIterator<Item: Into<String>>>(self, roles: I) -> Self {
        Self { known_roles: Some(roles.into_iter().map(Into::into).collect()), ..self }
    }

    /// The roles of a token that has none in any claim, or none that is
    /// [known](Self::known_roles). Default: none.
    ///
    /// Every caller with a good token has at least these: name the least.
    pub fn default_roles<I: IntoIterator<Item: Into<String>>>(self, roles: I) -> Self {
        Self { default_roles: roles.into_iter().map(Into::into).collect(), ..self }
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

    /// The claim that holds permissions as lists: the name of a resource, and for each of these levels
    /// whether the caller has it there. Whoever has the resource in the list has the level `listed`.
    /// Default: none.
    ///
    /// A list of another length, and a flag that is neither `true` nor `false`, is an error.
    ///
    /// ```
    /// use portcullis::GrantMapping;
    ///
    /// // Such as `"folders": [["reports", true, false]]`: may be read and written, and is not owned.
    /// let mapping = GrantMapping::default().permission_tuples("folders", "read", ["write", "owner"]);
    /// ```
    pub fn permission_tuples<I: IntoIterator<Item: Into<String>>>(
        self,
        claim: impl Into<String>,
        listed: impl Into<String>,
        flags: I,
    ) -> Self {
        let flags = flags.into_iter().map(Into::into).collect();
        let form = Form::Tuple { listed: listed.into(), flags };
        Self { permissions: Some((claim.into(), form)), ..self }
    }

    /// Takes `Admin` and `ADMIN` in permissions for the level `admin`: levels are kept in lower case,
    /// ASCII letters only. Default: letters count as they are.
    pub fn levels_in_lower_case(self) -> Self {
        Self { level_case: LevelCase::Lower, ..self }
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
                entries: form.compile()?,
                level_case: self.level_case,
                malformed: self.malformed,
            }),
        };
        if self.known_roles.as_ref().is_some_and(Vec::is_empty) {
            return Err(GrantMappingError::Empty { part: "known roles" });
        }
        Ok(CompiledMapping {
            scope: ClaimPath::parse_all(&self.scope)?,
            roles: ClaimPath::parse_all(&self.roles)?,
            more_roles: ClaimPath::parse_all(&self.more_roles)?,
            known_roles: self.known_roles.as_deref().map(boxed),
            default_roles: boxed(&self.default_roles),
            groups: ClaimPath::parse_all(&self.groups)?,
            permissions,
            function: self.function.clone(),
        })
    }
}

impl Form {
    fn compile(&self) -> Result<Entries, GrantMappingError> {
        match self {
            Self::Separator(separator) if separator.is_empty() => {
                Err(GrantMappingError::Empty { part: "separator of permissions" })
            }
            Self::Separator(separator) => Ok(Entries::Texts(Split::Separator(separator.clone()))),
            #[cfg(feature = "regex")]
            Self::Pattern(pattern) => Split::pattern(pattern).map(Entries::Texts),
            Self::Tuple { listed, flags }
                if listed.is_empty() || flags.contains(&String::new()) =>
            {
                Err(GrantMappingError::Empty { part: "level of permissions" })
            }
            Self::Tuple { listed, flags } => {
                Ok(Entries::Tuples { listed: listed.as_str().into(), flags: boxed(flags) })
            }
        }
    }
}

fn boxed(texts: &[String]) -> Vec<Box<str>> {
    texts.iter().map(|text| text.as_str().into()).collect()
}
