//! The lists of attacks name their tests: each of them exists.

#![expect(clippy::unwrap_used, reason = "what is no test function here runs in tests alone")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use conformance::{Setting, hostile};

const LISTS: [&str; 2] = ["docs/threats.md", "SECURITY.md"];

/// A Rust file, with the names of its modules, folders first, and its text.
struct Source {
    modules: Vec<String>,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    for folder in ["crates", "tests"] {
        collect(&root().join(folder), &mut files);
    }
    let source = |file: &PathBuf| {
        let path = file.with_extension("");
        let path = if path.ends_with("mod") { path.parent().unwrap() } else { &path };
        let names = path.strip_prefix(root()).unwrap().iter();
        let modules = names.map(|name| name.to_str().unwrap().to_owned()).collect();
        Source { modules, text: fs::read_to_string(file).unwrap() }
    };
    files.iter().map(source).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

impl Source {
    /// Returns whether it lies in this module, or below it.
    fn is_in(&self, module: &[&str]) -> bool {
        self.modules.windows(module.len()).any(|own| own == module)
    }

    /// Returns whether it is this module.
    fn is(&self, module: &[&str]) -> bool {
        let is_inner = |outer: &[&str], inner: &str| {
            self.modules.ends_with(&owned(outer)) && self.text.contains(&format!("mod {inner} {{"))
        };
        self.modules.ends_with(&owned(module))
            || module.split_last().is_some_and(|(inner, outer)| is_inner(outer, inner))
    }

    /// Returns whether it has a test of this name. A family of hostile rows counts as one: `hostile.rs`
    /// runs all of them.
    fn has_test(&self, name: &str) -> bool {
        let is_hostile = self.is_in(&["src", "hostile"]);
        let function = format!("fn {name}(");
        let mut attributes = Vec::new();
        for line in self.text.lines().map(str::trim) {
            if line.starts_with("#[") {
                attributes.push(line);
            } else if line.contains(&function) {
                return is_hostile
                    || attributes
                        .iter()
                        .any(|line| line.contains("test]") || line.contains("::test("));
            } else if !line.starts_with("//") {
                attributes.clear();
            }
        }
        // A macro's tests have their attributes inside of it.
        self.text.contains("proptest!") && self.text.contains(&function)
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Returns what stands between two characters, line breaks taken for spaces.
fn between(text: &str, open: char, close: char) -> Vec<String> {
    let mut parts = text.split(open).skip(1).filter_map(|part| part.split_once(close));
    let one_line = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    if open == close {
        // Every second part is inside.
        found.extend(text.split(open).skip(1).step_by(2).map(one_line));
    } else {
        found.extend(parts.by_ref().map(|(part, _)| one_line(part)));
    }
    found
}

/// Returns the names of tests, families and modules: `router::a_cookie_yields…`.
fn named(list: &str) -> BTreeSet<String> {
    let is_name = |name: &String| {
        let segment = |segment: &str| {
            !segment.is_empty()
                && segment.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        name.contains("::") && name.split("::").all(segment)
    };
    between(list, '`', '`').into_iter().filter(is_name).collect()
}

/// Drops the tables of what went wrong in other products: their quotes are not names of rows.
fn without_products(list: &str) -> String {
    let mut in_products = false;
    let is_kept = |line: &&str| {
        in_products = line.starts_with("| known as") || (in_products && line.starts_with('|'));
        !in_products
    };
    list.lines().filter(is_kept).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_test_that_a_list_of_attacks_names_exists() {
    let sources = sources();
    let exists = |name: &str| {
        let segments: Vec<_> = name.split("::").collect();
        let (last, module) = segments.split_last().unwrap();
        sources
            .iter()
            .any(|source| (source.is_in(module) && source.has_test(last)) || source.is(&segments))
    };
    let mut count = 0;
    for list in LISTS {
        let names = named(&fs::read_to_string(root().join(list)).unwrap());
        let missing: Vec<_> = names.iter().filter(|name| !exists(name)).collect();
        assert!(missing.is_empty(), "{list} names tests that do not exist: {missing:#?}");
        count += names.len();
    }
    assert!(count >= 80, "only {count} names were found");
}

#[test]
fn every_row_that_a_list_of_attacks_names_exists() {
    let setting = Setting::new();
    let rows = [hostile::rejected(&setting), hostile::accepted(&setting)].concat();
    let configurations = hostile::configurations(&setting);
    let mut names: BTreeSet<&str> = rows.iter().map(conformance::Row::name).collect();
    names.extend(configurations.iter().map(hostile::ConfigRow::name));
    let list = fs::read_to_string(root().join("docs/threats.md")).unwrap();
    let quoted = between(&without_products(&list), '“', '”');
    let missing: Vec<_> = quoted.iter().filter(|name| !names.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "docs/threats.md names rows that do not exist: {missing:#?}");
    assert!(quoted.len() >= 100, "only {} rows were found", quoted.len());
}
