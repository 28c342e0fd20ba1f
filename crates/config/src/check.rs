//! Checks a configuration against the table of keys.

use std::{cell::RefCell, collections::BTreeMap};

use crate::{
    error::Position,
    mistakes::Mistakes,
    nearest,
    node::{Member, Node, Value},
    section::{Checked, PlaceEntry, Section},
    shown::Shown,
    table::{Key, Keys, Kind},
    values::{self, quoted},
};

/// The value of an environment variable.
pub(crate) type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

/// Where the keys of a configuration are: their number in its order, and their position if the text tells.
pub(crate) type Places = BTreeMap<String, (usize, Option<Position>)>;

/// What a check needs and finds.
pub(crate) struct Checker<'c> {
    pub(crate) variables: Variables<'c>,
    pub(crate) places: Places,
    pub(crate) shown: Shown,
    pub(crate) mistakes: Mistakes,
}

impl<'c> Checker<'c> {
    pub(crate) fn new(variables: Variables<'c>) -> Self {
        let (places, shown, mistakes) = Default::default();
        Self { variables, places, shown, mistakes }
    }

    /// Checks a table: values with mistakes are left out. `path` is its own: empty for the whole. `None`: it
    /// is no table.
    pub(crate) fn section(&mut self, node: &Node, table: &dyn Keys, path: &str) -> Option<Section> {
        let Value::Table(members) = &node.value else {
            let message = format!("found {}", node.value.shown());
            self.mistakes.add(path, message, "expected a table");
            return None;
        };
        let keys = table.keys();
        let mut section = Section::at(path);
        for Member { key: name, position, node: value } in members {
            let path = joined(path, name);
            let Some(key) = keys.iter().find(|key| key.name == *name) else {
                self.found_at(&path, *position);
                self.mistakes.add(path, "unknown key", nearest::unknown_key(name, &keys));
                continue;
            };
            self.found_at(&path, value.position.or(*position));
            if let Some(checked) = self.value(value, key, &path) {
                section.insert(key.name, checked);
            }
        }
        let is_given = |key: &Key| members.iter().any(|member| member.key == key.name);
        for key in keys.iter().filter(|key| key.is_required() && !is_given(key)) {
            self.mistakes.add(joined(path, key.name), "it is missing", key.kind.expected());
        }
        section.set_lacks_values(self.mistakes.are_in(path));
        table.check(&section, &mut self.mistakes);
        Some(section)
    }

    fn value(&mut self, node: &Node, key: &Key, path: &str) -> Option<Checked> {
        match (key.kind, &node.value) {
            (Kind::Flag, Value::Flag(flag)) => Some(Checked::Flag(*flag)),
            (Kind::Text | Kind::Word(_) | Kind::Duration | Kind::Size, Value::Text(text)) => {
                self.text(text, key.kind, path)
            }
            (Kind::TextOrTexts, Value::Text(text)) => {
                Some(Checked::Texts(vec![self.expand(text, path)?]))
            }
            (Kind::Texts | Kind::TextOrTexts | Kind::Words(_), Value::List(list)) => {
                self.texts(list, key, path)
            }
            (Kind::Section(table), Value::Table(_)) => {
                self.section(node, table, path).map(Checked::Section)
            }
            (Kind::Sections(table), Value::List(list)) => {
                let sections = self.elements(list, path, |checker, element, path| {
                    checker.section(element, table, path)
                });
                Some(Checked::Sections(sections.into_iter().flatten().collect()))
            }
            (Kind::Places(table), Value::List(list)) => {
                let places = self.elements(list, path, |checker, element, path| {
                    checker.place(element, key, table, path)
                });
                Some(Checked::Places(places.into_iter().collect::<Option<_>>()?))
            }
            (_, other) => self.wrong_kind(other, key, path),
        }
    }

    fn wrong_kind<T>(&mut self, value: &Value, key: &Key, path: &str) -> Option<T> {
        let shown = if key.is_secret() { "a secret".to_owned() } else { value.shown() };
        self.mistakes.add(path, format!("found {shown}"), key.kind.expected());
        None
    }

    fn texts(&mut self, list: &[Node], key: &Key, path: &str) -> Option<Checked> {
        if list.is_empty() && key.is_filled {
            let help = "give a value, or leave the key out";
            self.mistakes.add(path, "found an empty list", help);
            return None;
        }
        let texts = self.elements(list, path, |checker, element, path| match &element.value {
            Value::Text(text) => checker.element(text, key.kind, path),
            other => checker.wrong_kind(other, key, path),
        });
        Some(Checked::Texts(texts.into_iter().collect::<Option<_>>()?))
    }

    /// Checks each element of a list.
    fn elements<T>(
        &mut self,
        list: &[Node],
        path: &str,
        mut check: impl FnMut(&mut Self, &Node, &str) -> Option<T>,
    ) -> Vec<Option<T>> {
        let elements = list.iter().enumerate().map(|(index, element)| {
            let path = format!("{path}[{index}]");
            self.found_at(&path, element.position);
            check(self, element, &path)
        });
        elements.collect()
    }

    fn text(&mut self, raw: &str, kind: Kind, path: &str) -> Option<Checked> {
        let text = self.expand(raw, path)?;
        let checked = match kind {
            Kind::Duration => values::duration(&text).map(Checked::Duration),
            Kind::Size => values::size(&text).map(Checked::Size),
            Kind::Word(words) => word(&text, words, kind).map(Checked::Text),
            _ => Ok(Checked::Text(text)),
        };
        self.or_wrong(checked, raw, kind, path)
    }

    fn element(&mut self, raw: &str, kind: Kind, path: &str) -> Option<String> {
        let text = self.expand(raw, path)?;
        let Kind::Words(words) = kind else { return Some(text) };
        let checked = word(&text, words, kind);
        self.or_wrong(checked, raw, kind, path)
    }

    /// Adds a mistake for a text that is of no use. What an environment variable holds is not shown, nor any
    /// part of it.
    fn or_wrong<T>(
        &mut self,
        checked: Result<T, String>,
        raw: &str,
        kind: Kind,
        path: &str,
    ) -> Option<T> {
        let why = match checked {
            Ok(checked) => return Some(checked),
            Err(why) if self.shown.is_secret(&why) => kind.expected(),
            Err(why) => why,
        };
        match why.split_once("; ") {
            Some((why, help)) => {
                self.mistakes.add(path, format!("found {}: {why}", quoted(raw)), help);
            }
            None => self.mistakes.add(path, format!("found {}", quoted(raw)), why),
        }
        None
    }

    fn place(
        &mut self,
        node: &Node,
        key: &Key,
        table: &dyn Keys,
        path: &str,
    ) -> Option<PlaceEntry> {
        match &node.value {
            Value::Text(raw) => match self.text(raw, Kind::Word(crate::extract::PLACES), path)? {
                Checked::Text(name) => Some(PlaceEntry::Named(name)),
                _ => None,
            },
            Value::Table(_) => self.section(node, table, path).map(PlaceEntry::Detailed),
            other => self.wrong_kind(other, key, path),
        }
    }

    fn expand(&mut self, text: &str, path: &str) -> Option<String> {
        let read = RefCell::new(Vec::new());
        let variable = |name: &str| {
            let value = (self.variables)(name);
            read.borrow_mut().extend(value.clone());
            value
        };
        match values::expand(text, &variable) {
            Ok(expanded) => {
                self.shown.add(text, &expanded, &read.into_inner());
                Some(expanded)
            }
            Err((message, help)) => {
                self.mistakes.add(path, message, help);
                None
            }
        }
    }

    /// Remembers where a key or an element is.
    fn found_at(&mut self, path: &str, position: Option<Position>) {
        self.places.insert(path.to_owned(), (self.places.len(), position));
    }
}

/// Finds a word among those that are allowed.
fn word(text: &str, words: &'static [&'static str], kind: Kind) -> Result<String, String> {
    match words.iter().find(|word| **word == text) {
        Some(word) => Ok((*word).to_owned()),
        None => {
            let hint = nearest::hint(text, words.iter().copied());
            Err(format!("{hint}{}", kind.expected()))
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    let plain = !name.is_empty() && name.len() <= 40 && name.chars().all(is_plain);
    let name = if plain { name.to_owned() } else { quoted(name) };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}
