//! `[issuer.grant]`: which claims hold the rights.

use portcullis::{GrantMapping, Issuer};

use crate::{
    apply::Applying,
    mistakes::Mistakes,
    section::Section,
    table::{
        Apply::{Flag, OneSection, Texts, Together},
        Kind, REQUIRED, Table, rows,
    },
};

pub(crate) static GRANT: Table<GrantMapping> = Table {
    rows: rows! {
        scope: Texts(GrantMapping::scope), "[\"scope\", \"scp\"]",
            "Claims that may hold the scope, the first that is there counts; a leading slash \
             makes a JSON pointer";
        roles: Texts(GrantMapping::roles), "[\"roles\"]",
            "Claims that may hold roles";
        more_roles: Texts(GrantMapping::more_roles), "none",
            "Claims whose roles are added, each that is there";
        groups: Texts(GrantMapping::groups), "[\"groups\"]",
            "Claims that may hold groups";
        permissions: OneSection(&PERMISSIONS, permissions), "none",
            "The claim that holds permissions";
    },
    check: |_, _| {},
};

static PERMISSIONS: Table<GrantMapping> = Table {
    rows: rows! {
        claim: Together(Kind::Text), REQUIRED,
            "The claim";
        separator: Together(Kind::Text), ":",
            "What stands between resource and level in each entry";
        pattern: Together(Kind::Text), "none",
            "In place of `separator`: a regular expression with the groups `resource` and `level` \
             (feature `regex`)";
        dangerous_ignore_malformed: Flag(GrantMapping::dangerous_ignore_malformed_permissions),
            "false",
            "Takes permissions of another JSON type for none";
    },
    check,
};

fn check(section: &Section, mistakes: &mut Mistakes) {
    let pattern = section.has("pattern");
    let mut wrong = |message: &str, help: &str| {
        mistakes.add(section.path_of("pattern"), message, help);
    };
    if pattern && section.has("separator") {
        wrong("entries have one form", "leave it or `separator` out");
    }
    if pattern && !cfg!(feature = "regex") {
        let message = "this program was built without the feature `regex`";
        wrong(message, "build it with the feature, or use `separator`");
    }
}

pub(crate) fn apply(issuer: Issuer, section: &Section, applying: &Applying<'_>) -> Issuer {
    issuer.grant_mapping(GRANT.apply(GrantMapping::default(), section, applying))
}

fn permissions(mapping: GrantMapping, section: &Section, applying: &Applying<'_>) -> GrantMapping {
    let claim = section.text("claim").unwrap_or_default();
    let mapping = match section.text("pattern") {
        #[cfg(feature = "regex")]
        Some(pattern) => mapping.permissions_matching(claim, pattern),
        _ => mapping.permissions(claim, section.text("separator").unwrap_or(":")),
    };
    PERMISSIONS.apply(mapping, section, applying)
}
