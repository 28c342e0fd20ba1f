//! From claims to a [`Grant`].

use super::split::Split;
use crate::{
    AuthError, AuthErrorKind, Grant, Scope,
    claims::ClaimPath,
    json::{Kind, Object, Value},
};

/// A [`GrantMapping`] whose paths were checked.
#[derive(Debug)]
pub(crate) struct CompiledMapping {
    pub(super) scope: Vec<ClaimPath>,
    pub(super) roles: Vec<ClaimPath>,
    pub(super) more_roles: Vec<ClaimPath>,
    pub(super) default_roles: Vec<Box<str>>,
    pub(super) groups: Vec<ClaimPath>,
    pub(super) permissions: Option<(ClaimPath, Split)>,
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
