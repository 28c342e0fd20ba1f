//! `[roles]`: the order of roles.

use portcullis::policy::RoleHierarchy;

use crate::{
    mistakes::Mistakes,
    section::Section,
    table::{
        Apply::{Flag, Together},
        Kind, Table, rows,
    },
};

pub(crate) static ROLES: Table<RoleHierarchy> = Table {
    rows: rows! {
        rank: Together(Kind::Texts), "none",
            "Roles from low to high; a higher one satisfies a lower one";
        ignore_ascii_case: Flag(RoleHierarchy::ignoring_ascii_case), "false",
            "Takes `Admin` and `ADMIN` for `admin`";
    },
    check,
};

fn check(section: &Section, mistakes: &mut Mistakes) {
    let ignores_case = section.flag("ignore_ascii_case");
    let folded = |name: &str| {
        if ignores_case { name.to_ascii_lowercase() } else { name.to_owned() }
    };
    let rank = section.texts("rank");
    for (index, role) in rank.iter().enumerate() {
        let is_twice = rank.iter().take(index).any(|other| folded(other) == folded(role));
        if role.is_empty() || is_twice {
            let help = "name each role once, from low to high";
            let key = section.path_of(&format!("rank[{index}]"));
            mistakes.add(key, "it is empty, or there twice", help);
        }
    }
}
