//! The table of keys: each row is a key, its kind, its default, its text, and how it is applied.
//!
//! The check, the JSON Schema, the documentation and the builder all follow from these rows.

use std::{fmt, time::Duration};

use crate::{
    apply::Applying,
    mistakes::Mistakes,
    section::{Checked, Section},
};

/// The default of a key that must be given.
pub(crate) const REQUIRED: &str = "required";

/// The keys of one section, which configure a `T`.
pub(crate) struct Table<T: 'static> {
    pub(crate) rows: &'static [Row<T>],
    /// Checks what depends on several keys.
    pub(crate) check: fn(&Section, &mut Mistakes),
}

/// A key, and how its value is applied.
pub(crate) struct Row<T> {
    pub(crate) name: &'static str,
    pub(crate) apply: Apply<T>,
    /// In words, for people.
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
    /// Whether an empty list is a mistake, because everything or nothing would match it.
    pub(crate) is_filled: bool,
}

/// Writes the rows of a table: `name: how it is applied, default, text;`, where `, filled` after the text says
/// that an empty list is a mistake.
macro_rules! rows {
    ($($name:tt: $apply:expr, $default:expr, $about:expr $(, $filled:ident)?;)*) => {
        &[$($crate::table::Row {
            name: stringify!($name),
            apply: $apply,
            default: $default,
            about: $about,
            is_filled: $crate::table::rows!(@is $($filled)?),
        }),*]
    };
    (@is) => { false };
    (@is filled) => { true };
}
pub(crate) use rows;

/// What a row says about its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
    pub(crate) is_filled: bool,
}

/// What a key takes.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Flag,
    Text,
    Texts,
    TextOrTexts,
    /// One of these.
    Word(&'static [&'static str]),
    /// A list of these.
    Words(&'static [&'static str]),
    Duration,
    Size,
    Section(&'static dyn Keys),
    Sections(&'static dyn Keys),
    /// A list of names of token locations, and of tables with these keys.
    Places(&'static dyn Keys),
}

/// What a key takes, and how its value is applied to the target of the section.
pub(crate) enum Apply<T> {
    /// By the function of the section, together with other keys.
    Together(Kind),
    /// Off unless it is set.
    Flag(fn(T) -> T),
    Text(fn(T, String) -> T),
    /// One of these.
    Word(&'static [&'static str], fn(T, String) -> T),
    /// A list of texts, each of which is added.
    Each(fn(T, String) -> T),
    /// A list of texts as a whole.
    Texts(fn(T, Vec<String>) -> T),
    /// A list of these as a whole.
    Words(&'static [&'static str], fn(T, Vec<String>) -> T),
    Duration(fn(T, Duration) -> T),
    Size(fn(T, usize) -> T),
    OneSection(&'static dyn Keys, ApplySection<T>),
    /// A list of sections, each of which is added.
    ManySections(&'static dyn Keys, ApplySection<T>),
}

pub(crate) type ApplySection<T> = fn(T, &Section, &Applying<'_>) -> T;

impl<T> Apply<T> {
    fn kind(&self) -> Kind {
        match self {
            Self::Together(kind) => *kind,
            Self::Flag(_) => Kind::Flag,
            Self::Text(_) => Kind::Text,
            Self::Word(words, _) => Kind::Word(words),
            Self::Each(_) | Self::Texts(_) => Kind::Texts,
            Self::Words(words, _) => Kind::Words(words),
            Self::Duration(_) => Kind::Duration,
            Self::Size(_) => Kind::Size,
            Self::OneSection(table, _) => Kind::Section(*table),
            Self::ManySections(table, _) => Kind::Sections(*table),
        }
    }
}

impl<T> Row<T> {
    fn key(&self) -> Key {
        let Self { name, apply, default, about, is_filled } = self;
        Key { name, kind: apply.kind(), default, about, is_filled: *is_filled }
    }

    fn apply(&self, target: T, value: &Checked, applying: &Applying<'_>) -> T {
        match (&self.apply, value) {
            (Apply::Flag(apply), Checked::Flag(true)) => apply(target),
            (Apply::Text(apply) | Apply::Word(_, apply), Checked::Text(text)) => {
                apply(target, text.clone())
            }
            (Apply::Each(apply), Checked::Texts(texts)) => {
                texts.iter().cloned().fold(target, apply)
            }
            (Apply::Texts(apply) | Apply::Words(_, apply), Checked::Texts(texts)) => {
                apply(target, texts.clone())
            }
            (Apply::Duration(apply), Checked::Duration(duration)) => apply(target, *duration),
            (Apply::Size(apply), Checked::Size(size)) => apply(target, *size),
            (Apply::OneSection(_, apply), Checked::Section(section)) => {
                apply(target, section, applying)
            }
            (Apply::ManySections(_, apply), Checked::Sections(sections)) => {
                sections.iter().fold(target, |target, section| apply(target, section, applying))
            }
            _ => target,
        }
    }
}

impl<T> Table<T> {
    /// Applies the rows to the target, in the order of the table.
    pub(crate) fn apply(&self, target: T, section: &Section, applying: &Applying<'_>) -> T {
        self.rows.iter().fold(target, |target, row| match section.value(row.name) {
            Some(value) => row.apply(target, value, applying),
            None => target,
        })
    }

    /// Applies one row.
    pub(crate) fn apply_row(
        &self,
        name: &str,
        target: T,
        section: &Section,
        applying: &Applying<'_>,
    ) -> T {
        let row = self.rows.iter().find(|row| row.name == name);
        match row.and_then(|row| Some((row, section.value(row.name)?))) {
            Some((row, value)) => row.apply(target, value, applying),
            None => target,
        }
    }
}

/// A table, whatever it configures.
pub(crate) trait Keys: Sync {
    fn keys(&self) -> Vec<Key>;

    /// Checks what depends on several keys.
    fn check(&self, section: &Section, mistakes: &mut Mistakes);
}

impl<T> Keys for Table<T> {
    fn keys(&self) -> Vec<Key> {
        self.rows.iter().map(Row::key).collect()
    }

    fn check(&self, section: &Section, mistakes: &mut Mistakes) {
        (self.check)(section, mistakes);
    }
}

impl Key {
    pub(crate) fn is_required(&self) -> bool {
        self.default == REQUIRED
    }

    /// Returns whether errors must not show the value.
    pub(crate) fn is_secret(&self) -> bool {
        self.name == "token"
    }
}

impl Kind {
    /// Says what would be right.
    pub(crate) fn expected(self) -> String {
        let listed = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
            words.join(", ")
        };
        match self {
            Self::Flag => "expected `true` or `false`".to_owned(),
            Self::Text => "expected a text in quotes".to_owned(),
            Self::Texts => "expected a list of texts, such as [\"a\", \"b\"]".to_owned(),
            Self::TextOrTexts => "expected a text in quotes, or a list of texts".to_owned(),
            Self::Word(words) => format!("expected one of {}", listed(words)),
            Self::Words(words) => format!("expected a list of some of {}", listed(words)),
            Self::Duration => {
                "expected a duration in quotes, such as \"500ms\", \"60s\", \"10m\" or \"24h\""
                    .to_owned()
            }
            Self::Size => "expected a size in quotes, such as \"512B\" or \"16KiB\"".to_owned(),
            Self::Section(_) => "expected a table".to_owned(),
            Self::Sections(_) => "expected a list of tables".to_owned(),
            Self::Places(_) => format!(
                "expected a list of {}, or of tables with a `kind`",
                listed(crate::extract::PLACES)
            ),
        }
    }

    /// Returns the keys of the sections inside.
    pub(crate) fn keys(self) -> Vec<Key> {
        match self {
            Self::Section(table) | Self::Sections(table) | Self::Places(table) => table.keys(),
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.expected())
    }
}
