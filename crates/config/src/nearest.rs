//! What somebody may have meant.

use crate::{
    root::ROOT,
    table::{Key, Keys, Kind},
    values::quoted,
};

/// Says which key may have been meant instead of an unknown one.
pub(crate) fn unknown_key(name: &str, keys: &[Key]) -> String {
    let hint = hint(name, keys.iter().map(|key| key.name));
    let elsewhere = if hint.is_empty() { elsewhere(name) } else { None };
    let elsewhere = elsewhere.map(|place| format!("`{name}` is a key {place}; "));
    let known: Vec<_> = keys.iter().map(|key| key.name).collect();
    format!("{hint}{}known here: {}", elsewhere.unwrap_or_default(), known.join(", "))
}

/// Returns `did you mean …? `, or nothing.
pub(crate) fn hint<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> String {
    nearest(text, words).map_or_else(String::new, |word| format!("did you mean {}? ", quoted(word)))
}

/// Finds the word that differs least, if it does not differ much.
fn nearest<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    const LONGEST: usize = 64;
    let text = normal(text);
    let allowed = text.len().div_ceil(3);
    if text.len() > LONGEST {
        return None;
    }
    let distances = words.map(|word| (distance(&text, &normal(word)), word));
    distances
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Letter case and the kind of dash are the most usual differences.
fn normal(text: &str) -> Vec<char> {
    text.chars().map(|char| if char == '-' { '_' } else { char.to_ascii_lowercase() }).collect()
}

/// Counts the characters to put in, take out, replace or swap with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, char) in from.iter().enumerate() {
        let mut next = vec![line.saturating_add(1)];
        for (column, other) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&row, column).saturating_add(usize::from(char != other));
            let taken = at(&row, column.saturating_add(1)).saturating_add(1);
            let put = at(&next, column).saturating_add(1);
            let is_swapped = line > 0
                && column > 0
                && from.get(line.saturating_sub(1)) == Some(other)
                && to.get(column.saturating_sub(1)) == Some(char);
            let swapped = if is_swapped {
                at(&before, column.saturating_sub(1)).saturating_add(1)
            } else {
                usize::MAX
            };
            next.push(replaced.min(taken).min(put).min(swapped));
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Says in which section a key is known.
fn elsewhere(name: &str) -> Option<String> {
    fn find(name: &str, keys: &[Key], path: &str) -> Option<String> {
        keys.iter().find_map(|key| {
            let inner =
                if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            let keys = key.kind.keys();
            if keys.iter().any(|key| key.name == name) {
                let header = match key.kind {
                    Kind::Sections(_) => format!("of [[{inner}]]"),
                    _ => format!("of [{inner}]"),
                };
                return Some(header);
            }
            find(name, &keys, &inner)
        })
    }
    let root = ROOT.keys();
    if root.iter().any(|key| key.name == name) {
        return Some("of the file as a whole: put it above the first section".to_owned());
    }
    find(name, &root, "")
}
