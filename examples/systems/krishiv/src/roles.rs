//! The three roles, of which each may do what those before it may.

use std::sync::LazyLock;

use portcullis_axum::{
    AuthError, Grant, Policy, Principal,
    policy::{self, RoleHierarchy},
};

pub(crate) const READER: &str = "reader";
pub(crate) const WRITER: &str = "writer";
pub(crate) const ADMIN: &str = "admin";

/// Whoever has none that is known may read.
static RANKS: LazyLock<RoleHierarchy> =
    LazyLock::new(|| RoleHierarchy::new([READER, WRITER, ADMIN]).lowest_for_all());

/// The highest of the caller's roles.
pub(crate) fn role(grant: &Grant) -> &'static str {
    RANKS.highest_role(grant).unwrap_or(READER)
}

/// The caller, as Krishiv writes it: with the role in front, if the token named any.
pub(crate) fn name(caller: &Principal, grant: &Grant) -> String {
    match grant.roles().next() {
        Some(_) => format!("{}:{}", role(grant), caller.subject()),
        None => caller.subject().to_owned(),
    }
}

pub(crate) fn at_least(required: &'static str) -> Policy {
    let enough = RANKS.role_at_least(required);
    policy::check(move |caller, grant: &Grant| {
        enough.check(caller, grant).map_err(|error| {
            let (name, has, required) = (name(caller, grant), title(role(grant)), title(required));
            let text = format!("principal {name} has role {has}; required role {required}");
            AuthError::with_source(error.kind(), text)
        })
    })
}

fn title(role: &str) -> &'static str {
    match role {
        ADMIN => "Admin",
        WRITER => "Writer",
        _ => "Reader",
    }
}
