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
        Row::texts(
            "known_roles",
            "all",
            "The roles that count; others are left out, as if the token did not name them",
            GrantMapping::known_roles,
        )
        .filled(),
        Row::texts(
            "default_roles",
            "none",
            "The roles of a token that has none in any claim, or none that is known",
            GrantMapping::default_roles,
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
        Row::together(
            "listed",
            Kind::Text,
            "none",
            "In place of `separator`: entries are lists of a resource and flags, and this is the level \
             of whoever has the resource in one",
        ),
        Row::together(
            "flags",
            Kind::Texts,
            "none",
            "With `listed`: the level that each flag stands for",
        ),
        Row::flag(
            "levels_in_lower_case",
            "Takes `Admin` and `ADMIN` for the level `admin`",
            GrantMapping::levels_in_lower_case,
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
    let [separator, pattern, listed, flags] =
        ["separator", "pattern", "listed", "flags"].map(|key| section.has(key));
    let mut wrong = |key: &str, message: &str, help: &str| {
        mistakes.add(section.path_of(key), message, help);
    };
    if flags && !listed && !section.lacks_values() {
        wrong("flags", "there is no `listed`, so it means nothing", "add one");
    }
    if pattern && (separator || listed) {
        let help = "leave out all but one of it, `separator` and `listed`";
        wrong("pattern", "entries have one form", help);
    } else if listed && separator {
        wrong("listed", "it contradicts `separator`", "leave one of them out");
    }
    if pattern && !cfg!(feature = "regex") {
        let message = "this program was built without the feature `regex`";
        wrong("pattern", message, "build it with the feature, or use `separator`");
    }
}

fn permissions(mapping: GrantMapping, section: &Section, applying: &Applying<'_>) -> GrantMapping {
    let claim = section.text("claim").unwrap_or_default();
    let mapping = match (section.text("pattern"), section.text("listed")) {
        #[cfg(feature = "regex")]
        (Some(pattern), _) => mapping.permissions_matching(claim, pattern),
        (_, Some(listed)) => {
            mapping.permission_tuples(claim, listed, section.texts("flags").iter().cloned())
        }
        _ => mapping.permissions(claim, section.text("separator").unwrap_or(":")),
    };
    PERMISSIONS.apply(mapping, section, applying)
}
