//! The checked values of a section.

use std::{collections::BTreeMap, time::Duration};

/// A value of the right kind.
#[derive(Clone)]
pub(crate) enum Checked {
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    Duration(Duration),
    Size(usize),
    Section(Section),
    Sections(Vec<Section>),
    Places(Vec<PlaceEntry>),
}

/// A token location by its name, or as a table.
#[derive(Clone)]
pub(crate) enum PlaceEntry {
    Named(String),
    Detailed(Section),
}

/// The values of a section, by their keys.
#[derive(Clone, Default)]
pub(crate) struct Section {
    path: String,
    /// Whether a key or value with a mistake is left out.
    lacks_values: bool,
    values: BTreeMap<&'static str, Checked>,
}

impl Section {
    /// Starts a section at a path, such as `issuer[0]`: empty for the whole.
    pub(crate) fn at(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }

    pub(crate) fn insert(&mut self, name: &'static str, value: Checked) {
        self.values.insert(name, value);
    }

    /// Remembers that a key or value with a mistake is left out.
    pub(crate) fn set_lacks_values(&mut self, lacks_values: bool) {
        self.lacks_values = lacks_values;
    }

    /// Returns whether a key that is absent may be one that was left out because of a mistake.
    pub(crate) fn lacks_values(&self) -> bool {
        self.lacks_values
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the path of a key of the section.
    pub(crate) fn path_of(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<&Checked> {
        self.values.get(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// Returns whether a flag is set.
    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Checked::Flag(true)))
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Checked::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns the texts of a list: none if the key is not given.
    pub(crate) fn texts(&self, name: &str) -> &[String] {
        match self.value(name) {
            Some(Checked::Texts(texts)) => texts,
            _ => &[],
        }
    }

    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        match self.value(name) {
            Some(Checked::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }

    pub(crate) fn size(&self, name: &str) -> Option<usize> {
        match self.value(name) {
            Some(Checked::Size(size)) => Some(*size),
            _ => None,
        }
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Self> {
        match self.value(name) {
            Some(Checked::Section(section)) => Some(section),
            _ => None,
        }
    }

    pub(crate) fn sections(&self, name: &str) -> &[Self] {
        match self.value(name) {
            Some(Checked::Sections(sections)) => sections,
            _ => &[],
        }
    }

    /// Returns the token locations. `None`: the key is not given.
    pub(crate) fn places(&self, name: &str) -> Option<&[PlaceEntry]> {
        match self.value(name) {
            Some(Checked::Places(places)) => Some(places),
            _ => None,
        }
    }
}
