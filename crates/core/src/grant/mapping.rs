//! From claims to a [`Grant`].

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
/// # Examples
///
/// ```
/// use portcullis::GrantMapping;
///
/// let keycloak = GrantMapping::default().roles(["/realm_access/roles"]);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GrantMapping {
    scope: Vec<String>,
    roles: Vec<String>,
    groups: Vec<String>,
    permissions: Option<(String, String)>,
}

impl Default for GrantMapping {
    fn default() -> Self {
        Self {
            scope: vec!["scope".to_owned(), "scp".to_owned()],
            roles: vec!["roles".to_owned()],
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

    /// The claims that may hold groups. Default: `groups`.
    pub fn groups<I: IntoIterator<Item: Into<String>>>(self, claims: I) -> Self {
        Self { groups: claims.into_iter().map(Into::into).collect(), ..self }
    }

    /// The claim that holds permissions, and what stands between resource and level in each entry.
    /// Default: none.
    pub fn permissions(self, claim: impl Into<String>, separator: impl Into<String>) -> Self {
        Self { permissions: Some((claim.into(), separator.into())), ..self }
    }

    pub(crate) fn compile(&self) -> Result<CompiledMapping, ConfigError> {
        let permissions = match &self.permissions {
            None => None,
            Some((claim, separator)) => Some((ClaimPath::parse(claim)?, separator.clone())),
        };
        Ok(CompiledMapping {
            scope: ClaimPath::parse_all(&self.scope)?,
            roles: ClaimPath::parse_all(&self.roles)?,
            groups: ClaimPath::parse_all(&self.groups)?,
            permissions,
        })
    }
}

/// A [`GrantMapping`] whose paths were checked.
#[derive(Debug)]
pub(crate) struct CompiledMapping {
    scope: Vec<ClaimPath>,
    roles: Vec<ClaimPath>,
    groups: Vec<ClaimPath>,
    permissions: Option<(ClaimPath, String)>,
}

impl CompiledMapping {
    pub(crate) fn grant(&self, claims: &Object<'_>) -> Result<Grant, AuthError> {
        let mut grant = Grant::builder()
            .scope(scope(first(&self.scope, claims)?)?)
            .roles(strings(first(&self.roles, claims)?)?)
            .groups(strings(first(&self.groups, claims)?)?);
        if let Some((path, separator)) = &self.permissions {
            for entry in strings(path.find(claims)?)? {
                if let Some((resource, level)) = entry.split_once(separator) {
                    grant = grant.permission(resource, level);
                }
            }
        }
        Ok(grant.build())
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
