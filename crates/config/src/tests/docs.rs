//! The documentation says what the table of keys says, and its sample works.

use super::super::{
    extract::PLACES,
    issuer::ALGORITHMS,
    root::ROOT,
    table::{Keys, Kind},
};

const PAGE: &str = include_str!("../../../../docs/configuration.md");

/// Makes the tables of the page, one for each section.
fn tables(table: &dyn Keys, header: &str, page: &mut String) {
    use std::fmt::Write as _;

    let heading =
        if header.is_empty() { "The file as a whole".to_owned() } else { format!("`{header}`") };
    write!(page, "### {heading}\n\n| key | takes | default | meaning |\n|---|---|---|---|\n")
        .unwrap();
    for key in table.keys() {
        let default = match key.default {
            word if word.contains('`') || word.contains(' ') && !word.starts_with('[') => {
                word.to_owned()
            }
            word @ ("required" | "none" | "all" | "any") => word.to_owned(),
            value => format!("`{value}`"),
        };
        writeln!(page, "| `{}` | {} | {default} | {} |", key.name, takes(key.kind), key.about)
            .unwrap();
    }
    page.push('\n');
    let name = header.trim_matches(['[', ']']);
    for key in table.keys() {
        let (Kind::Section(inner_table) | Kind::Sections(inner_table) | Kind::Places(inner_table)) =
            key.kind
        else {
            continue;
        };
        let inner =
            if name.is_empty() { key.name.to_owned() } else { format!("{name}.{}", key.name) };
        let header = match key.kind {
            Kind::Sections(_) => format!("[[{inner}]]"),
            Kind::Places(_) => format!("{inner} = [{{ … }}]"),
            _ => format!("[{inner}]"),
        };
        tables(inner_table, &header, page);
    }
}

fn takes(kind: Kind) -> String {
    let listed = |words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        words.join(", ")
    };
    match kind {
        Kind::Flag => "`true`, `false`".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Texts => "list of texts".to_owned(),
        Kind::TextOrTexts => "text, or list of texts".to_owned(),
        Kind::Word(words) => format!("one of {}", listed(words)),
        Kind::Words(words) => format!("list of {}", listed(words)),
        Kind::Duration => "duration".to_owned(),
        Kind::Size => "size".to_owned(),
        Kind::Section(_) => "table".to_owned(),
        Kind::Sections(_) => "list of tables".to_owned(),
        Kind::Places(_) => format!("list of {}, or of tables", listed(PLACES)),
    }
}

#[test]
fn the_page_has_the_tables() {
    let mut expected = String::new();
    tables(&ROOT, "", &mut expected);
    let (_, found) = PAGE.split_once("## Keys\n\n").unwrap();
    let found = found.split("\n## ").next().unwrap();
    let (found, expected) = (found.trim(), expected.trim());
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected, "write the second line to docs/configuration.md");
    }
    assert_eq!(found, expected);
}

#[test]
fn the_samples_of_the_page_are_good() {
    let samples: Vec<_> =
        PAGE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(samples.len() >= 2);
    for sample in samples {
        let found = super::read(sample).map_err(|error| error.to_string());
        assert!(found.is_ok(), "{sample}\n{found:?}");
        super::schema::Validator::new().toml(sample).unwrap();
    }
}

#[test]
fn the_names_of_algorithms_are_those_of_the_engine() {
    let names: Vec<_> =
        portcullis::Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
    assert_eq!(names, ALGORITHMS);
}
