//! From claims to a [`Grant`].

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use super::{Part, mapping::Malformed, split::Split};
use crate::{
    AuthError, AuthErrorKind, Grant, Principal, Scope,
    claims::{ClaimPath, NotIncluded},
    grant_source::PrincipalMapping,
    json::{Kind, Object, Value},
};

/// A [`GrantMapping`] whose paths were checked.
#[derive(Debug)]
pub(crate) struct CompiledMapping {
    pub(super) scope: Vec<ClaimPath>,
    pub(super) roles: Vec<ClaimPath>,
    pub(super) more_roles: Vec<ClaimPath>,
    pub(super) groups: Vec<ClaimPath>,
    pub(super) permissions: Option<Permissions>,
    /// Makes the grant instead of the above.
    pub(super) function: Option<Arc<PrincipalMapping<Grant>>>,
}

thread_local! {
    /// The functions of the application that make a grant in this thread now, by address.
    static RUNNING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// Removes the function from those that run, also if it panics.
struct Running;

impl Running {
    /// Returns `None` if the function runs already.
    fn start(function: &Arc<PrincipalMapping<Grant>>) -> Option<Self> {
        let address = Arc::as_ptr(function).addr();
        RUNNING.with_borrow_mut(|running| {
            if running.contains(&address) {
                return None;
            }
            running.push(address);
            Some(Self)
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(|running| running.pop());
    }
}

/// The claim that holds permissions, and how.
#[derive(Debug)]
pub(super) struct Permissions {
    pub(super) claim: ClaimPath,
    pub(super) split: Split,
    pub(super) malformed: Malformed,
}

impl CompiledMapping {
    /// Makes the grant of a caller.
    pub(crate) fn grant_of(&self, caller: &Principal) -> Result<Grant, AuthError> {
        let Some(function) = &self.function else {
            return self.grant(&caller.object().ok_or(AuthErrorKind::MalformedToken)?);
        };
        // A function that calls `standard_grant` calls itself, without end.
        let Some(_running) = Running::start(function) else {
            let reason = "a grant mapping of the application calls `standard_grant`";
            return Err(AuthError::because(AuthErrorKind::InternalError, reason));
        };
        function.map(caller)
    }

    /// Makes the grant of claims, where no function does.
    pub(crate) fn grant(&self, claims: &Object<'_>) -> Result<Grant, AuthError> {
        let mut claims = Claims::new(claims)?;
        let mut grant = Grant {
            scope: scope(claims.first(Part::Scope, &self.scope)?)?,
            roles: self.roles(&mut claims)?,
            groups: strings(claims.first(Part::Groups, &self.groups)?)?,
            permissions: BTreeMap::new(),
            not_included: Vec::new(),
        };
        if let Some(permissions) = &self.permissions {
            permissions.add_to(&mut grant, &mut claims)?;
        }
        grant.not_included = claims.unknown;
        Ok(grant)
    }

    #[inline]
    fn roles(&self, claims: &mut Claims<'_, '_>) -> Result<Vec<Box<str>>, AuthError> {
        let mut roles = strings(claims.first(Part::Roles, &self.roles)?)?;
        for path in &self.more_roles {
            for role in strings(claims.one(Part::Roles, path)?)? {
                if !roles.contains(&role) {
                    roles.push(role);
                }
            }
        }
        Ok(roles)
    }
}

impl Permissions {
    fn add_to(&self, grant: &mut Grant, claims: &mut Claims<'_, '_>) -> Result<(), AuthError> {
        for entry in self.entries(claims)? {
            if let Some((resource, level)) = self.split.parts(&entry) {
                grant.permit(resource.into(), level.into());
            }
        }
        Ok(())
    }

    fn entries(&self, claims: &mut Claims<'_, '_>) -> Result<Vec<Box<str>>, AuthError> {
        let value = claims.one(Part::Permissions, &self.claim)?;
        match self.malformed {
            Malformed::Rejected => strings(value),
            Malformed::Ignored => Ok(readable(value)),
        }
    }
}

/// The claims of one token, and the parts of the grant that they leave unknown.
struct Claims<'c, 'a> {
    claims: &'c Object<'a>,
    not_included: Option<Box<NotIncluded<'a>>>,
    unknown: Vec<Part>,
}

impl<'c, 'a> Claims<'c, 'a> {
    fn new(claims: &'c Object<'a>) -> Result<Self, AuthError> {
        Ok(Self { claims, not_included: NotIncluded::of(claims)?, unknown: Vec::new() })
    }

    /// Returns the first claim that is there. One before it that the token does not include leaves the
    /// part unknown, because it takes precedence.
    fn first(&mut self, part: Part, paths: &[ClaimPath]) -> Result<Option<Value<'a>>, AuthError> {
        for path in paths {
            let value = self.one(part, path)?;
            if value.is_some() || self.lacks(path) {
                return Ok(value);
            }
        }
        Ok(None)
    }

    /// Returns a claim that is there. `null` is not there: issuers write it for "no value".
    #[inline]
    fn one(&mut self, part: Part, path: &ClaimPath) -> Result<Option<Value<'a>>, AuthError> {
        if self.lacks(path) {
            if !self.unknown.contains(&part) {
                self.unknown.push(part);
            }
            return Ok(None);
        }
        Ok(path.find(self.claims)?.filter(|value| value.kind() != Kind::Null))
    }

    #[inline]
    fn lacks(&self, path: &ClaimPath) -> bool {
        self.not_included.as_ref().is_some_and(|not_included| not_included.has(path))
    }
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

/// Reads the strings in a list. What is no list has no entries.
fn readable(value: Option<Value<'_>>) -> Vec<Box<str>> {
    let mut strings = Vec::new();
    if let Some(list) = value.filter(|value| value.kind() == Kind::Array) {
        list.each_element(|entry| {
            strings.extend(entry.as_str().map(Into::into));
            Some(())
        });
    }
    strings
}
