//! Rules about permissions on resources.

use super::{PathParameter, Policy, authorize::Denial};
use crate::{AuthErrorKind, Grant};

/// The caller has exactly this level on a resource: one of this name, or the one that a
/// [parameter of the path](super::path_parameter) names.
///
/// Levels are independent of each other, like bits: several are asked for with
/// [`and`](Policy::and), one of several with [`or`](Policy::or). Where one includes another,
/// [`RoleHierarchy`](super::RoleHierarchy) say so. Names count letter by letter, and there are no wildcards. They
/// come from the claim that the issuer's
/// [mapping](crate::GrantMapping::permissions) names.
///
/// # Examples
///
/// ```
/// use portcullis::policy::{path_parameter, permission};
///
/// let may_poll = permission(path_parameter("namespace"), "worker")
///     .or(permission("system", "admin"));
/// ```
pub fn permission(resource: impl Into<Resource>, level: impl Into<Box<str>>) -> Policy {
    let level = level.into();
    resource
        .into()
        .rule("permission", move |grant, resource| grant.has_permission(resource, &level))
}

/// The resource that a permission is on: a name, or a parameter of the path that has the name.
///
/// Made from a string or from a [`PathParameter`].
#[derive(Clone, Debug)]
pub struct Resource {
    name: Name,
}

#[derive(Clone, Debug)]
enum Name {
    Fixed(Box<str>),
    InPath(PathParameter),
}

impl Resource {
    pub(super) fn rule(
        self,
        rule: &'static str,
        has: impl Fn(&Grant, &str) -> bool + Send + Sync + 'static,
    ) -> Policy {
        let decide = move |grant: &Grant, resource: &str| {
            let may = has(grant, resource);
            if may { Ok(()) } else { Err(Denial::No(AuthErrorKind::NotPermitted.into())) }
        };
        match self.name {
            Name::Fixed(name) => Policy::own_rule(rule, move |_, grant| decide(grant, &name)),
            Name::InPath(parameter) => {
                Policy::own_path_rule(rule, parameter.name, move |name, _, grant| {
                    decide(grant, name)
                })
            }
        }
    }
}

impl From<&str> for Resource {
    fn from(name: &str) -> Self {
        Self { name: Name::Fixed(name.into()) }
    }
}

impl From<String> for Resource {
    fn from(name: String) -> Self {
        Self { name: Name::Fixed(name.into()) }
    }
}

impl From<PathParameter> for Resource {
    fn from(parameter: PathParameter) -> Self {
        Self { name: Name::InPath(parameter) }
    }
}
