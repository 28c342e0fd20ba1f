//! What a key takes.

/// A key of a section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// In words, for people.
    pub(super) default: &'static str,
    pub(super) about: &'static str,
}

/// What a key takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
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
    Section(&'static [Key]),
    Sections(&'static [Key]),
    /// A list of names of places, and of tables with these keys.
    Places(&'static [Key]),
}

impl Key {
    pub(super) fn is_required(&self) -> bool {
        self.default == super::keys::REQUIRED
    }

    /// Tells whether errors must not show the value.
    pub(super) fn is_secret(&self) -> bool {
        self.name == "token"
    }
}

impl Kind {
    /// Says what would be right.
    pub(super) fn expected(self) -> String {
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
                listed(super::keys::PLACES)
            ),
        }
    }

    /// Returns the keys of the sections inside.
    pub(super) fn keys(self) -> &'static [Key] {
        match self {
            Self::Section(keys) | Self::Sections(keys) | Self::Places(keys) => keys,
            _ => &[],
        }
    }
}
