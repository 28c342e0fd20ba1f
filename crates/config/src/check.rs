//! A configuration held against the table of keys.

use std::{cell::RefCell, collections::BTreeMap};

use super::{
    error::{Position, SettingError},
    kind::{Key, Kind},
    nearest,
    node::{Member, Node, Value},
    shown::Shown,
    values::{self, quoted},
};

/// The value of an environment variable.
pub(super) type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

/// A value of the right kind.
#[derive(Debug)]
pub(super) enum Checked {
    Flag(bool),
    Text(String),
    Texts(Vec<String>),
    Duration(std::time::Duration),
    Size(usize),
    Section(Section),
    Sections(Vec<Section>),
    Places(Vec<PlaceEntry>),
}

/// A place by its name, or as a table.
#[derive(Debug)]
pub(super) enum PlaceEntry {
    Named(String),
    Detailed(Section),
}

/// The values of a section.
#[derive(Debug, Default)]
pub(super) struct Section {
    values: BTreeMap<&'static str, Checked>,
}

/// Where each key stands, by its path.
pub(super) type Positions = BTreeMap<String, Position>;

/// What a check needs and finds.
pub(super) struct Checker<'c> {
    pub(super) variables: Variables<'c>,
    pub(super) positions: Positions,
    pub(super) shown: Shown,
}

type Result<T> = std::result::Result<T, SettingError>;

impl Checker<'_> {
    /// Checks a table. `path` is its own: empty for the whole.
    pub(super) fn section(
        &mut self,
        node: &Node,
        keys: &'static [Key],
        path: &str,
    ) -> Result<Section> {
        let Value::Table(members) = &node.value else {
            let problem = format!("found {}; expected a table", node.value.shown());
            return Err(SettingError::new(path, problem).at(node.position));
        };
        let mut section = Section::default();
        for Member { key: name, position, node: value } in members {
            let path = joined(path, name);
            let Some(key) = keys.iter().find(|key| key.name == *name) else {
                let problem = nearest::unknown_key(name, keys);
                return Err(SettingError::new(path, problem).at(*position));
            };
            if let Some(position) = value.position.or(*position) {
                self.positions.insert(path.clone(), position);
            }
            let checked = self.value(value, key, &path);
            let checked = checked.map_err(|error| error.at(value.position).at(*position))?;
            section.values.insert(key.name, checked);
        }
        let is_missing = |key: &&Key| key.is_required() && !section.values.contains_key(key.name);
        if let Some(key) = keys.iter().find(is_missing) {
            let problem = format!("it is missing; {}", key.kind.expected());
            return Err(SettingError::new(joined(path, key.name), problem).at(node.position));
        }
        Ok(section)
    }

    fn value(&mut self, node: &Node, key: &Key, path: &str) -> Result<Checked> {
        let wrong = |value: &Value| {
            let shown = if key.is_secret() { "a secret".to_owned() } else { value.shown() };
            SettingError::new(path, format!("found {shown}; {}", key.kind.expected()))
        };
        Ok(match (key.kind, &node.value) {
            (Kind::Flag, Value::Flag(flag)) => Checked::Flag(*flag),
            (Kind::Text | Kind::Word(_) | Kind::Duration | Kind::Size, Value::Text(text)) => {
                self.text(text, key.kind, path)?
            }
            (Kind::TextOrTexts, Value::Text(text)) => {
                Checked::Texts(vec![self.expand(text, path)?])
            }
            (Kind::Texts | Kind::TextOrTexts | Kind::Words(_), Value::List(list)) => {
                let texts = list.iter().enumerate().map(|(index, element)| {
                    let path = self.indexed(path, index, element);
                    let Value::Text(text) = &element.value else {
                        return Err(wrong(&element.value).at(element.position));
                    };
                    self.element(text, key.kind, &path).map_err(|error| error.at(element.position))
                });
                Checked::Texts(texts.collect::<Result<_>>()?)
            }
            (Kind::Section(keys), Value::Table(_)) => {
                Checked::Section(self.section(node, keys, path)?)
            }
            (Kind::Sections(keys), Value::List(list)) => {
                let sections = list.iter().enumerate().map(|(index, element)| {
                    let path = self.indexed(path, index, element);
                    self.section(element, keys, &path)
                });
                Checked::Sections(sections.collect::<Result<_>>()?)
            }
            (Kind::Places(keys), Value::List(list)) => {
                let places = list.iter().enumerate().map(|(index, element)| {
                    let path = self.indexed(path, index, element);
                    match &element.value {
                        Value::Text(text) => {
                            self.place(text, &path).map_err(|error| error.at(element.position))
                        }
                        Value::Table(_) => {
                            self.section(element, keys, &path).map(PlaceEntry::Detailed)
                        }
                        other => Err(wrong(other).at(element.position)),
                    }
                });
                Checked::Places(places.collect::<Result<_>>()?)
            }
            (_, other) => return Err(wrong(other)),
        })
    }

    fn text(&mut self, raw: &str, kind: Kind, path: &str) -> Result<Checked> {
        let text = self.expand(raw, path)?;
        let wrong = |why: String| self.wrong(raw, why, kind, path);
        Ok(match kind {
            Kind::Duration => Checked::Duration(values::duration(&text).map_err(wrong)?),
            Kind::Size => Checked::Size(values::size(&text).map_err(wrong)?),
            Kind::Word(words) => Checked::Text(
                word(&text, words).map_err(|why| wrong(format!("{why}{}", kind.expected())))?,
            ),
            _ => Checked::Text(text),
        })
    }

    fn element(&mut self, raw: &str, kind: Kind, path: &str) -> Result<String> {
        let text = self.expand(raw, path)?;
        let Kind::Words(words) = kind else { return Ok(text) };
        word(&text, words)
            .map_err(|why| self.wrong(raw, format!("{why}{}", kind.expected()), kind, path))
    }

    /// A text that is of no use. What an environment variable holds is not shown, nor any part of it.
    fn wrong(&self, raw: &str, why: String, kind: Kind, path: &str) -> SettingError {
        let why = if self.shown.is_secret(&why) { kind.expected() } else { why };
        SettingError::new(path, format!("found {}: {why}", quoted(raw)))
    }

    fn place(&mut self, raw: &str, path: &str) -> Result<PlaceEntry> {
        let kind = Kind::Word(super::keys::PLACES);
        match self.text(raw, kind, path)? {
            Checked::Text(name) => Ok(PlaceEntry::Named(name)),
            _ => Err(SettingError::new(path, kind.expected())),
        }
    }

    fn expand(&mut self, text: &str, path: &str) -> Result<String> {
        let read = RefCell::new(Vec::new());
        let variable = |name: &str| {
            let value = (self.variables)(name);
            read.borrow_mut().extend(value.clone());
            value
        };
        let expanded =
            values::expand(text, &variable).map_err(|why| SettingError::new(path, why))?;
        self.shown.add(text, &expanded, &read.into_inner());
        Ok(expanded)
    }

    /// Returns the path of an element, whose place is remembered.
    fn indexed(&mut self, path: &str, index: usize, element: &Node) -> String {
        let path = format!("{path}[{index}]");
        if let Some(position) = element.position {
            self.positions.insert(path.clone(), position);
        }
        path
    }
}

/// Finds a word among those that are allowed. What is near is told.
fn word(text: &str, words: &'static [&'static str]) -> std::result::Result<String, String> {
    match words.iter().find(|word| **word == text) {
        Some(word) => Ok((*word).to_owned()),
        None => Err(nearest::hint(text, words.iter().copied())),
    }
}

fn joined(path: &str, name: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    let plain = !name.is_empty() && name.len() <= 40 && name.chars().all(is_plain);
    let name = if plain { name.to_owned() } else { quoted(name) };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// Values are taken once, each by the name of its key.
impl Section {
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        matches!(self.values.remove(name), Some(Checked::Flag(true)))
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.values.remove(name) {
            Some(Checked::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        match self.values.remove(name) {
            Some(Checked::Texts(texts)) => Some(texts),
            _ => None,
        }
    }

    pub(super) fn duration(&mut self, name: &'static str) -> Option<std::time::Duration> {
        match self.values.remove(name) {
            Some(Checked::Duration(duration)) => Some(duration),
            _ => None,
        }
    }

    pub(super) fn size(&mut self, name: &'static str) -> Option<usize> {
        match self.values.remove(name) {
            Some(Checked::Size(size)) => Some(size),
            _ => None,
        }
    }

    pub(super) fn section(&mut self, name: &'static str) -> Option<Self> {
        match self.values.remove(name) {
            Some(Checked::Section(section)) => Some(section),
            _ => None,
        }
    }

    pub(super) fn sections(&mut self, name: &'static str) -> Vec<Self> {
        match self.values.remove(name) {
            Some(Checked::Sections(sections)) => sections,
            _ => Vec::new(),
        }
    }

    pub(super) fn places(&mut self, name: &'static str) -> Option<Vec<PlaceEntry>> {
        match self.values.remove(name) {
            Some(Checked::Places(places)) => Some(places),
            _ => None,
        }
    }
}
