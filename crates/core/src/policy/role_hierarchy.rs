//! Roles and levels that have an order.

use std::sync::Arc;

use super::{Policy, Resource, authorize::Denial};
use crate::AuthErrorKind;

/// An order of roles, or of levels of permissions, declared once: each includes those before it.
///
/// A name that stands twice in the order, an empty one, and a rule for a name that does not stand in
/// it are [mistakes](Policy::mistakes): such a rule never allows, and neither does its
/// [`not`](Policy::not). What a caller has that stands outside of the order counts for nothing.
///
/// # Examples
///
/// ```
/// use portcullis::policy::{RoleHierarchy, path_parameter};
///
/// let roles = RoleHierarchy::new(["reader", "writer", "admin"]);
/// let may_write = roles.role_at_least("writer");
///
/// // Permissions such as `default:write`, and system-wide ones.
/// let levels = RoleHierarchy::new(["worker", "read", "write", "admin"]);
/// let may_start = levels
///     .permission_at_least(path_parameter("namespace"), "write")
///     .or(levels.permission_at_least("temporal-system", "write"));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RoleHierarchy {
    names: Arc<[Box<str>]>,
    case: Case,
    /// Whether who has no role of the order counts as having the lowest.
    lowest_for_all: bool,
}

/// Whether capital letters differ from small ones.
#[derive(Clone, Copy, Debug)]
enum Case {
    Differs,
    Ignored,
}

impl Case {
    fn equal(self, first: &str, second: &str) -> bool {
        match self {
            Self::Differs => first == second,
            Self::Ignored => first.eq_ignore_ascii_case(second),
        }
    }
}

impl RoleHierarchy {
    /// Declares an order, the lowest first.
    pub fn new<I: IntoIterator<Item: Into<Box<str>>>>(names: I) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self { names, case: Case::Differs, lowest_for_all: false }
    }

    /// Takes `Admin` and `ADMIN` for `admin`. Default: letters count as they are.
    pub fn ignoring_ascii_case(self) -> Self {
        Self { case: Case::Ignored, ..self }
    }

    /// Every caller has the lowest role at least: for services where whoever has a good token may do that
    /// much. Levels of permissions are not meant. Default: who has no role of the order has none.
    ///
    /// ```
    /// use portcullis::{Grant, policy::RoleHierarchy};
    ///
    /// let roles = RoleHierarchy::new(["reader", "writer", "admin"]).lowest_for_all();
    /// let grant = Grant::builder().roles(["owner"]).build();
    /// assert_eq!(roles.highest_role(&grant), Some("reader"));
    /// ```
    pub fn lowest_for_all(self) -> Self {
        Self { lowest_for_all: true, ..self }
    }

    /// The caller has this role, or one that stands higher.
    pub fn role_at_least(&self, role: &str) -> Policy {
        let at_least = match self.at_least(role) {
            Ok(at_least) => at_least,
            Err(mistake) => return Policy::senseless(mistake),
        };
        Policy::own_rule("role_at_least", move |_, grant: &crate::Grant| {
            let is_enough =
                at_least.is_everyones() || grant.roles().any(|role| at_least.includes(role));
            if is_enough { Ok(()) } else { Err(Denial::No(AuthErrorKind::InsufficientRole.into())) }
        })
    }

    /// Returns the highest role of a caller that stands in the order, by the order's own name; `None` if
    /// the caller has none of them.
    ///
    /// ```
    /// use portcullis::{Grant, policy::RoleHierarchy};
    ///
    /// let roles = RoleHierarchy::new(["reader", "writer", "admin"]);
    /// let grant = Grant::builder().roles(["writer", "reader", "owner"]).build();
    /// assert_eq!(roles.highest_role(&grant), Some("writer"));
    /// ```
    #[must_use]
    pub fn highest_role(&self, grant: &crate::Grant) -> Option<&str> {
        let has = |name: &&str| grant.roles().any(|role| self.case.equal(name, role));
        let everyones = self.names.first().filter(|_| self.lowest_for_all);
        self.names.iter().map(|name| &**name).rev().find(has).or(everyones.map(|name| &**name))
    }

    /// The caller has this level, or one that stands higher, on a resource: one of this name, or the
    /// one that a [parameter of the path](super::path_parameter) names.
    pub fn permission_at_least(&self, resource: impl Into<Resource>, level: &str) -> Policy {
        let at_least = match self.at_least(level) {
            Ok(at_least) => at_least,
            Err(mistake) => return Policy::senseless(mistake),
        };
        resource.into().rule("permission_at_least", move |grant, resource| {
            grant.levels_on(resource).any(|level| at_least.includes(level))
        })
    }

    fn at_least(&self, name: &str) -> Result<AtLeast, String> {
        let order = || self.names.join(" < ");
        let mut rest = &*self.names;
        while let Some((first, higher)) = rest.split_first() {
            if first.is_empty() || higher.iter().any(|other| self.case.equal(first, other)) {
                return Err(format!("the order {} has `{first}` twice, or it is empty", order()));
            }
            rest = higher;
        }
        match self.names.iter().position(|own| self.case.equal(own, name)) {
            Some(lowest) => Ok(AtLeast { ranks: self.clone(), lowest }),
            None => Err(format!("`{name}` does not stand in the order {}", order())),
        }
    }
}

/// A name of an order, and all that stand higher.
struct AtLeast {
    ranks: RoleHierarchy,
    lowest: usize,
}

impl AtLeast {
    /// Tells whether every caller has the role.
    fn is_everyones(&self) -> bool {
        self.lowest == 0 && self.ranks.lowest_for_all
    }

    fn includes(&self, name: &str) -> bool {
        let enough = self.ranks.names.iter().skip(self.lowest);
        enough.into_iter().any(|own| self.ranks.case.equal(own, name))
    }
}
