//! From claims to a [`Grant`].

use super::split::Split;
use crate::{
    AuthError, AuthErrorKind, ConfigError, Grant, Scope,
    claims::ClaimPath,
    json::{Kind, Object, Value},
};

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
/// Roles may stand in several claims at once ([`more_roles`](Self::more_roles)), and tokens that name
/// none may be given the least of them ([`default_roles`](Self::default_roles)).
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
    default_roles: Vec<String>,
    groups: Vec<String>,
    permissions: Option<(String, Form)>,
}

/// How an entry of the permissions tells resource and level.
#[derive(Clone, Debug)]
enum Form {
    Separator(String),
    #[cfg(feature = "regex")]
    Pattern(String),
}

impl Default for GrantMapping {
    fn default() -> Self {
        Self {
            scope: vec!["scope".to_owned(), "scp".to_owned()],
            roles: vec!["roles".to_owned()],
            more_roles: Vec::new(),
            default_roles: Vec::new(),
            groups: vec!["groups".to_owned()],
            permissions: None,
        }
    }
}

impl GrantMapping {
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

    /// The roles of a token that has none in any claim. Default: none.
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

    pub(crate) fn compile(&self) -> Result<CompiledMapping, ConfigError> {
        let permissions = match &self.permissions {
            None => None,
            Some((claim, form)) => Some((ClaimPath::parse(claim)?, form.compile()?)),
        };
        Ok(CompiledMapping {
            scope: ClaimPath::parse_all(&self.scope)?,
            roles: ClaimPath::parse_all(&self.roles)?,
            more_roles: ClaimPath::parse_all(&self.more_roles)?,
            default_roles: self.default_roles.iter().map(|role| role.as_str().into()).collect(),
            groups: ClaimPath::parse_all(&self.groups)?,
            permissions,
        })
    }
}

impl Form {
    fn compile(&self) -> Result<Split, ConfigError> {
        match self {
            Self::Separator(separator) if separator.is_empty() => {
                Err(ConfigError::EmptyRequirement { part: "separator of permissions" })
            }
            Self::Separator(separator) => Ok(Split::Separator(separator.clone())),
            #[cfg(feature = "regex")]
            Self::Pattern(pattern) => Split::pattern(pattern),
        }
    }
}

/// A [`GrantMapping`] whose paths were checked.
#[derive(Debug)]
pub(crate) struct CompiledMapping {
    scope: Vec<ClaimPath>,
    roles: Vec<ClaimPath>,
    more_roles: Vec<ClaimPath>,
    default_roles: Vec<Box<str>>,
    groups: Vec<ClaimPath>,
    permissions: Option<(ClaimPath, Split)>,
}

impl CompiledMapping {
    pub(crate) fn grant(&self, claims: &Object<'_>) -> Result<Grant, AuthError> {
        let mut grant = Grant::builder()
            .scope(scope(first(&self.scope, claims)?)?)
            .roles(self.roles(claims)?)
            .groups(strings(first(&self.groups, claims)?)?);
        if let Some((path, split)) = &self.permissions {
            for entry in strings(path.find(claims)?)? {
                if let Some((resource, level)) = split.parts(&entry) {
                    grant = grant.permission(resource, level);
                }
            }
        }
        Ok(grant.build())
    }

    #[inline]
    fn roles(&self, claims: &Object<'_>) -> Result<Vec<Box<str>>, AuthError> {
        let mut roles = strings(first(&self.roles, claims)?)?;
        for path in &self.more_roles {
            for role in strings(path.find(claims)?.filter(|value| value.kind() != Kind::Null))? {
                if !roles.contains(&role) {
                    roles.push(role);
                }
            }
        }
        if roles.is_empty() {
            roles.extend_from_slice(&self.default_roles);
        }
        Ok(roles)
    }
}

/// Returns the first claim that is there. `null` is not there: issuers write it for "no value".
fn first<'a>(paths: &[ClaimPath], claims: &Object<'a>) -> Result<Option<Value<'a>>, AuthError> {
    for path in paths {
        match path.find(claims)? {
            Some(value) if value.kind() != Kind::Null => return Ok(Some(value)),
            _ => {}
        }
    }
    Ok(None)
}

fn scope(value: Option<Value<'_>>) -> Result<Scope, AuthError> {
    let Some(value) = value else {
        return Ok(Scope::default());
    };
    match value.as_str() {
        Some(text) => Ok(Scope::from(&*text)),
        None => {
            let tokens = strings(Some(value))?;
            // An entry with a space is no scope token, and must not become two.
            Ok(tokens.iter().map(|token| &**token).filter(|token| !token.contains(' ')).collect())
        }
    }
}

/// Reads a list of strings, or one string as a list of one.
fn strings(value: Option<Value<'_>>) -> Result<Vec<Box<str>>, AuthError> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    if let Some(text) = value.as_str() {
        return Ok(vec![text.into()]);
    }
    let mut strings = Vec::new();
    value
        .each_element(|element| {
            strings.push(element.as_str()?.into());
            Some(())
        })
        .ok_or(AuthError::because(
            AuthErrorKind::MalformedClaim,
            "a claim of the grant is neither a string nor a list of strings",
        ))?;
    Ok(strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(mapping: &GrantMapping, claims: &str) -> Result<Grant, AuthErrorKind> {
        let claims = Object::parse(claims).unwrap();
        mapping.compile().unwrap().grant(&claims).map_err(|error| error.kind())
    }

    fn ours() -> GrantMapping {
        GrantMapping::default()
            .roles(["/realm_access/roles", "https://k/role"])
            .permissions("permissions", ":")
    }

    #[test]
    fn reads_each_part_in_each_form() {
        for (claims, expected) in [
            ("{}", Grant::default()),
            (r#"{"scope":"a b"}"#, Grant::builder().scope("a b").build()),
            (r#"{"scp":["a","b"]}"#, Grant::builder().scope("a b").build()),
            (r#"{"scp":["a"],"scope":"b"}"#, Grant::builder().scope("b").build()),
            (r#"{"scp":["a"],"scope":null}"#, Grant::builder().scope("a").build()),
            (r#"{"scp":["a b","c"]}"#, Grant::builder().scope("c").build()),
            (r#"{"scope":""}"#, Grant::default()),
            (r#"{"scope":[]}"#, Grant::default()),
            (r#"{"realm_access":{"roles":["x","y"]}}"#, Grant::builder().roles(["x", "y"]).build()),
            (r#"{"https://k/role":"two words"}"#, Grant::builder().roles(["two words"]).build()),
            (r#"{"roles":["not mapped"]}"#, Grant::default()),
            (r#"{"groups":["g\u0041"]}"#, Grant::builder().groups(["gA"]).build()),
            (
                r#"{"permissions":["ns:read","ns:write","ns:read",":x","none","a:b:c"]}"#,
                Grant::builder()
                    .permission("ns", "read")
                    .permission("ns", "write")
                    .permission("", "x")
                    .permission("a", "b:c")
                    .build(),
            ),
        ] {
            assert_eq!(map(&ours(), claims), Ok(expected), "{claims}");
        }
    }

    #[test]
    fn roles_of_several_claims_add_up_and_the_least_stand_in_for_none() {
        let mapping = GrantMapping::default()
            .roles(["/realm_access/roles", "roles"])
            .more_roles(["/resource_access/orders/roles", "extra"])
            .default_roles(["reader"]);
        for (claims, expected) in [
            (r#"{"realm_access":{"roles":["a"]},"roles":["not looked at"]}"#, &["a"][..]),
            (
                r#"{"realm_access":{"roles":["a"]},"resource_access":{"orders":{"roles":["b","a"]},"other":{"roles":["c"]}}}"#,
                &["a", "b"],
            ),
            (r#"{"extra":"d"}"#, &["d"]),
            (r#"{"extra":null}"#, &["reader"]),
            (r#"{"roles":[]}"#, &["reader"]),
            ("{}", &["reader"]),
        ] {
            let expected = Grant::builder().roles(expected.iter().copied()).build();
            assert_eq!(map(&mapping, claims), Ok(expected), "{claims}");
        }
        let malformed = map(&mapping, r#"{"roles":["a"],"extra":1}"#);
        assert_eq!(malformed, Err(AuthErrorKind::MalformedClaim));
    }

    #[cfg(feature = "regex")]
    #[test]
    fn permissions_are_found_by_a_pattern_with_named_groups() {
        let matching =
            |pattern: &str| GrantMapping::default().permissions_matching("permissions", pattern);
        let mapping = matching("(?<role>read|write)@(?<namespace>[a-z]+)");
        let claims = r#"{"permissions":["x-read@ns-y","write@a write@b","admin@ns","read@"]}"#;
        let expected = Grant::builder().permission("ns", "read").permission("a", "write").build();
        assert_eq!(map(&mapping, claims), Ok(expected));
        let other_names = matching("^(?<resource>.*)/(?<level>.*)$");
        let expected = Grant::builder().permission("a/b", "c").build();
        assert_eq!(map(&other_names, r#"{"permissions":"a/b/c"}"#), Ok(expected));
        for mistake in ["(", "read", "(?<namespace>a)", "(?<role>a)", "(?<a>x)(?<b>y)"] {
            let error = matching(mistake).compile().unwrap_err();
            assert!(matches!(error, ConfigError::InvalidPattern { .. }), "{mistake}");
        }
    }

    #[test]
    fn a_separator_of_nothing_is_a_mistake() {
        assert!(GrantMapping::default().permissions("permissions", "").compile().is_err());
    }

    #[test]
    fn another_type_is_an_error_and_never_an_empty_list() {
        for claims in [
            r#"{"scope":1}"#,
            r#"{"scope":{}}"#,
            r#"{"scope":["a",1]}"#,
            r#"{"scp":[["a"]]}"#,
            r#"{"groups":true}"#,
            r#"{"realm_access":{"roles":{"a":1}}}"#,
            r#"{"permissions":{"ns":"read"}}"#,
            r#"{"realm_access":"roles"}"#,
        ] {
            assert_eq!(map(&ours(), claims), Err(AuthErrorKind::MalformedClaim), "{claims}");
        }
    }

    #[test]
    fn a_bad_pointer_is_a_configuration_error() {
        for mapping in [GrantMapping::default().scope(["/a~"]), GrantMapping::default().roles([""])]
        {
            assert!(matches!(mapping.compile(), Err(ConfigError::InvalidClaimPath { .. })));
        }
    }
}
