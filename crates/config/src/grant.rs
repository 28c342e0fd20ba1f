//! `[issuer.grant]`: which claims hold the rights.

use portcullis::GrantMapping;

use crate::{
    apply::Applying,
    mistakes::Mistakes,
    section::Section,
    table::{Kind, REQUIRED, Row, Table},
};

pub(crate) static GRANT: Table<GrantMapping> = Table {
    rows: &[
        Row::texts(
            "scope",
            "[\"scope\", \"scp\"]",
            "Claims that may hold the scope, the first that is there counts; a leading slash makes \
             a JSON pointer",
            GrantMapping::scope,
        ),
        Row::texts("roles", "[\"roles\"]", "Claims that may hold roles", GrantMapping::roles),
        Row::texts(
            "more_roles",
            "none",
            "Claims whose roles are added, each that is there",
            GrantMapping::more_roles,
        ),
        Row::texts("groups", "[\"groups\"]", "Claims that may hold groups", GrantMapping::groups),
        Row::section(
            "permissions",
            &PERMISSIONS,
            "none",
            "The claim that holds permissions",
            permissions,
        ),
    ],
    check: |_, _| {},
};

static PERMISSIONS: Table<GrantMapping> = Table {
    rows: &[
        Row::together("claim", Kind::Text, REQUIRED, "The claim"),
        Row::together(
            "separator",
            Kind::Text,
            ":",
            "What stands between resource and level in each entry",
        ),
        Row::together(
            "pattern",
            Kind::Text,
            "none",
            "In place of `separator`: a regular expression with the groups `resource` and `level` (feature `regex`)",
        ),
        Row::flag(
            "dangerous_ignore_malformed",
            "Takes permissions of another JSON type for none",
            GrantMapping::dangerous_ignore_malformed_permissions,
        ),
    ],
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

fn permissions(mapping: GrantMapping, section: &Section, applying: &Applying<'_>) -> GrantMapping {
    let claim = section.text("claim").unwrap_or_default();
    let mapping = match section.text("pattern") {
        #[cfg(feature = "regex")]
        Some(pattern) => mapping.permissions_matching(claim, pattern),
        _ => mapping.permissions(claim, section.text("separator").unwrap_or(":")),
    };
    PERMISSIONS.apply(mapping, section, applying)
}
