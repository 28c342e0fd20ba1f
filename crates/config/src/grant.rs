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
        known_roles: Texts(GrantMapping::known_roles), "all",
            "The roles that count; others are left out, as if the token did not name them", filled;
        default_roles: Texts(GrantMapping::default_roles), "none",
            "The roles of a token that has none in any claim, or none that is known";
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
        listed: Together(Kind::Text), "none",
            "In place of `separator`: entries are lists of a resource and flags, and this is the \
             level of whoever has the resource in one";
        flags: Together(Kind::Texts), "none",
            "With `listed`: the level that each flag stands for";
        levels_in_lower_case: Flag(GrantMapping::levels_in_lower_case), "false",
            "Takes `Admin` and `ADMIN` for the level `admin`";
        dangerous_ignore_malformed: Flag(GrantMapping::dangerous_ignore_malformed_permissions),
            "false",
            "Takes permissions of another JSON type for none";
    },
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

pub(crate) fn apply(issuer: Issuer, section: &Section, applying: &Applying<'_>) -> Issuer {
    issuer.grant_mapping(GRANT.apply(GrantMapping::default(), section, applying))
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
