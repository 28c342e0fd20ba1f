//! The grammar of scopes: `domain:action[:resources]`, and `jobs:run[:kind[:resources]]`.

mod domains;

use std::sync::LazyLock;

use portcullis_axum::{AuthError, AuthErrorKind, policy::ScopeHierarchy};

use self::domains::{ALIASES, DOMAINS, OLD, OLD_STARTS};
use crate::Identity;

/// A scope without a resource is asked of the route, one with a resource inside of it.
pub(crate) static SCOPES: LazyLock<ScopeHierarchy<Identity>> =
    LazyLock::new(|| ScopeHierarchy::new(held, covers).dangerous_empty_is_unrestricted());

/// Those that limit which workers may run a job do nothing else.
fn held(identity: &Identity) -> Vec<&str> {
    let scopes = identity.scopes.iter().flatten().map(String::as_str);
    scopes.filter(|scope| !scope.starts_with("if_jobs:filter_tags:")).collect()
}

/// What does not parse grants nothing, and takes nothing away.
fn covers(held: &str, needed: &str) -> Result<bool, AuthError> {
    let held = modern(held);
    let both = Parts::parse(&held).zip(Parts::parse(needed));
    both.map_or(Ok(false), |(held, needed)| match needed.resources {
        None => held.covers_route(&needed),
        Some(resource) => Ok(held.covers_resource(&needed, resource)),
    })
}

/// Rewrites the forms of old tokens.
fn modern(scope: &str) -> String {
    let renamed = OLD.iter().find(|old| old.0 == scope).map(|old| old.1.to_owned());
    let moved = |(old, new): &(&str, &str)| Some(format!("{new}{}", scope.strip_prefix(old)?));
    renamed.or_else(|| OLD_STARTS.iter().find_map(moved)).unwrap_or_else(|| scope.to_owned())
}

struct Parts<'a> {
    domain: &'a str,
    action: &'a str,
    kind: Option<&'a str>,
    resources: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn parse(scope: &'a str) -> Option<Self> {
        let mut parts = scope.split(':');
        let (domain, action) = (parts.next()?, parts.next()?);
        let kind = if (domain, action) == ("jobs", "run") { parts.next() } else { None };
        let resources = parts.next();
        let action = if action == "delete" { "write" } else { action };
        parts.next().is_none().then_some(Self { domain, action, kind, resources })
    }

    /// Looks at no resources. A domain or action that does not exist ends it, whatever comes behind.
    fn covers_route(&self, needed: &Self) -> Result<bool, AuthError> {
        let alias = ALIASES.iter().find(|alias| alias.0 == self.domain);
        let domain = alias.map_or(self.domain, |alias| alias.1);
        if !DOMAINS.contains(&domain) || !["read", "write", "run"].contains(&self.action) {
            return Err(AuthErrorKind::MalformedRequest.into());
        }
        let run_reads = (self.action, needed.action) == ("run", "read");
        let reads = run_reads && !["jobs", "resources"].contains(&domain);
        Ok(domain == needed.domain && (reads || self.covers_action_and_kind(needed)))
    }

    /// The needed resource is one path. One overlap with what is held is enough.
    fn covers_resource(&self, needed: &Self, resource: &str) -> bool {
        let overlaps = |item| matches(item, resource) || matches(resource, item);
        self.domain == needed.domain
            && self.covers_action_and_kind(needed)
            && self.resources.is_none_or(|resources| resources.split(',').any(overlaps))
    }

    fn covers_action_and_kind(&self, needed: &Self) -> bool {
        let action = match (self.action, needed.action) {
            ("write", "read") => true,
            ("write", "run") => needed.domain == "apps",
            (own, needed) => own == needed,
        };
        action && (self.kind.is_none() || self.kind == needed.kind)
    }
}

/// `p/*` is `p` and all below it; `*` is everything.
fn matches(pattern: &str, path: &str) -> bool {
    let is_below = |start| format!("{path}/").starts_with(&format!("{start}/"));
    pattern == "*" || pattern == path || pattern.strip_suffix("/*").is_some_and(is_below)
}
