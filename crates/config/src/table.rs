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
    key: Key,
    apply: Apply<T>,
}

/// What a row says about its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// In words, for people.
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
    /// Whether an empty list is a mistake, because everything or nothing would match it.
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

/// How a value is applied to the target of the section.
enum Apply<T> {
    /// By the function of the section, together with other keys.
    Together,
    Flag(fn(T) -> T),
    Text(fn(T, String) -> T),
    Each(fn(T, String) -> T),
    Texts(fn(T, Vec<String>) -> T),
    Duration(fn(T, Duration) -> T),
    Size(fn(T, usize) -> T),
    Section(fn(T, &Section, &Applying<'_>) -> T),
}

impl<T> Row<T> {
    const fn new(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        about: &'static str,
        apply: Apply<T>,
    ) -> Self {
        Self { key: Key { name, kind, default, about, is_filled: false }, apply }
    }

    /// A key that the function of the section applies, together with other keys.
    pub(crate) const fn together(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        Self::new(name, kind, default, about, Apply::Together)
    }

    /// A flag, which is off unless it is set.
    pub(crate) const fn flag(name: &'static str, about: &'static str, apply: fn(T) -> T) -> Self {
        Self::new(name, Kind::Flag, "false", about, Apply::Flag(apply))
    }

    pub(crate) const fn text(
        name: &'static str,
        default: &'static str,
        about: &'static str,
        apply: fn(T, String) -> T,
    ) -> Self {
        Self::new(name, Kind::Text, default, about, Apply::Text(apply))
    }

    pub(crate) const fn word(
        name: &'static str,
        words: &'static [&'static str],
        default: &'static str,
        about: &'static str,
        apply: fn(T, String) -> T,
    ) -> Self {
        Self::new(name, Kind::Word(words), default, about, Apply::Text(apply))
    }

    /// A list of texts, applied as a whole.
    pub(crate) const fn texts(
        name: &'static str,
        default: &'static str,
        about: &'static str,
        apply: fn(T, Vec<String>) -> T,
    ) -> Self {
        Self::new(name, Kind::Texts, default, about, Apply::Texts(apply))
    }

    /// A list of texts, each of which is added.
    pub(crate) const fn each(
        name: &'static str,
        default: &'static str,
        about: &'static str,
        apply: fn(T, String) -> T,
    ) -> Self {
        Self::new(name, Kind::Texts, default, about, Apply::Each(apply))
    }

    pub(crate) const fn words(
        name: &'static str,
        words: &'static [&'static str],
        default: &'static str,
        about: &'static str,
        apply: fn(T, Vec<String>) -> T,
    ) -> Self {
        Self::new(name, Kind::Words(words), default, about, Apply::Texts(apply))
    }

    pub(crate) const fn duration(
        name: &'static str,
        default: &'static str,
        about: &'static str,
        apply: fn(T, Duration) -> T,
    ) -> Self {
        Self::new(name, Kind::Duration, default, about, Apply::Duration(apply))
    }

    pub(crate) const fn size(
        name: &'static str,
        default: &'static str,
        about: &'static str,
        apply: fn(T, usize) -> T,
    ) -> Self {
        Self::new(name, Kind::Size, default, about, Apply::Size(apply))
    }

    pub(crate) const fn section(
        name: &'static str,
        keys: &'static dyn Keys,
        default: &'static str,
        about: &'static str,
        apply: fn(T, &Section, &Applying<'_>) -> T,
    ) -> Self {
        Self::new(name, Kind::Section(keys), default, about, Apply::Section(apply))
    }

    /// A list of sections, each of which is applied.
    pub(crate) const fn sections(
        name: &'static str,
        keys: &'static dyn Keys,
        about: &'static str,
        apply: fn(T, &Section, &Applying<'_>) -> T,
    ) -> Self {
        Self::new(name, Kind::Sections(keys), "none", about, Apply::Section(apply))
    }

    /// An empty list is a mistake.
    pub(crate) const fn filled(mut self) -> Self {
        self.key.is_filled = true;
        self
    }

    fn apply(&self, target: T, value: &Checked, applying: &Applying<'_>) -> T {
        match (&self.apply, value) {
            (Apply::Flag(apply), Checked::Flag(true)) => apply(target),
            (Apply::Text(apply), Checked::Text(text)) => apply(target, text.clone()),
            (Apply::Each(apply), Checked::Texts(texts)) => {
                texts.iter().cloned().fold(target, apply)
            }
            (Apply::Texts(apply), Checked::Texts(texts)) => apply(target, texts.clone()),
            (Apply::Duration(apply), Checked::Duration(duration)) => apply(target, *duration),
            (Apply::Size(apply), Checked::Size(size)) => apply(target, *size),
            (Apply::Section(apply), Checked::Section(section)) => apply(target, section, applying),
            (Apply::Section(apply), Checked::Sections(sections)) => {
                sections.iter().fold(target, |target, section| apply(target, section, applying))
            }
            _ => target,
        }
    }
}

impl<T> Table<T> {
    /// Applies the rows to the target, in the order of the table.
    pub(crate) fn apply(&self, target: T, section: &Section, applying: &Applying<'_>) -> T {
        self.rows.iter().fold(target, |target, row| match section.value(row.key.name) {
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
        let row = self.rows.iter().find(|row| row.key.name == name);
        match row.and_then(|row| Some((row, section.value(row.key.name)?))) {
            Some((row, value)) => row.apply(target, value, applying),
            None => target,
        }
    }
}

/// A table, whatever it configures.
pub(crate) trait Keys: Sync {
    fn keys(&self) -> Vec<&Key>;

    /// Checks what depends on several keys.
    fn check(&self, section: &Section, mistakes: &mut Mistakes);
}

impl<T> Keys for Table<T> {
    fn keys(&self) -> Vec<&Key> {
        self.rows.iter().map(|row| &row.key).collect()
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
    pub(crate) fn keys(self) -> Vec<&'static Key> {
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
