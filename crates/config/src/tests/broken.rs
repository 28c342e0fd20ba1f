//! Broken files: whatever is cut off or changed, reading ends with a configuration or an error that
//! names its place, and never with a panic.

use proptest::{
    prelude::*,
    test_runner::{Config as Settings, RngAlgorithm, TestRng, TestRunner},
};

use super::super::*;

/// The same cases at each run.
fn runner(cases: u32) -> TestRunner {
    let settings = Settings { cases, failure_persistence: None, ..Settings::default() };
    TestRunner::new_with_rng(settings, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Reads what may be a text, and checks what an error says.
fn check(text: &str, is_json: bool) -> Result<(), TestCaseError> {
    let variables = |_: &str| None;
    let node = if is_json { Node::from_json(text) } else { Node::from_toml(text) };
    let file = Path::new("portcullis.toml");
    let source = Source { file: Some(file), variables: &variables };
    match source.read(node) {
        Ok(config) => {
            // What is built of it may fail too, and names the file then.
            if let Err(error) = super::engine(&config.fixed_files()) {
                let text = error.to_string();
                prop_assert!(text.starts_with("portcullis.toml:"), "{}", text);
            }
        }
        Err(errors) => {
            errors.errors().iter().try_for_each(|error| -> Result<(), TestCaseError> {
                let shown = error.to_string();
                prop_assert!(shown.starts_with("portcullis.toml:"), "{}", shown);
                let has_place = error.line().is_some() && error.column().is_some();
                // JSON tells no places but those of its own syntax.
                let is_deep = shown.contains("nested too deeply");
                prop_assert!(
                    has_place || !error.key().is_empty() || is_json || is_deep,
                    "{}",
                    shown
                );
                // Where something is missing, its key is the place.
                let has_none = shown.contains("missing") || shown.contains("nested too deeply");
                prop_assert!(has_place || is_json || has_none, "{}", shown);
                prop_assert!(!shown.contains("4e1hvZ2m7pYcTq0sKfWbNw"), "{}", shown);
                if let (Some(line), Some(column)) = (error.line(), error.column()) {
                    let lines = text.split('\n').count();
                    prop_assert!((1..=lines + 1).contains(&line) && column >= 1, "{}", shown);
                }
                let is_plain = shown.chars().all(|char| !char.is_control());
                prop_assert!(is_plain && shown.len() < 2000, "{:?}", shown);
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn documents() -> [(String, bool); 2] {
    let secret = super::SAMPLE.replace(
        "sha256:b1946ac92492d2347c6235b4d2611184cbd6a2b4f2b1b0dd2b5a2f2d5c3c1c1a",
        "4e1hvZ2m7pYcTq0sKfWbNw",
    );
    let json = super::schema::json(&Node::from_toml(&secret).unwrap());
    [(secret, false), (json.to_string(), true)]
}

#[test]
fn files_that_are_cut_off_name_the_place() {
    for (text, is_json) in documents() {
        for end in 0..=text.len() {
            check(text.get(..end).unwrap(), is_json).unwrap();
        }
    }
}

#[test]
fn files_with_changed_bytes_name_the_place() {
    for (text, is_json) in documents() {
        let changes = prop::collection::vec((0..text.len(), any::<u8>()), 1..4);
        let run = runner(1000).run(&changes, |changes| {
            let mut bytes = text.clone().into_bytes();
            for (index, byte) in changes {
                bytes[index] = byte;
            }
            // A file that is no UTF-8 is no text, and rejected before.
            check(&String::from_utf8_lossy(&bytes), is_json)
        });
        run.unwrap();
    }
}

#[test]
fn files_with_pieces_moved_around_name_the_place() {
    for (text, is_json) in documents() {
        let pieces = (0..text.len(), 0..text.len(), 0..text.len(), any::<String>());
        let run = runner(1000).run(&pieces, |(start, end, to, typed)| {
            let (start, end) = (start.min(end), start.max(end));
            let mut moved = text.clone();
            moved.insert_str(to, text.get(start..end).unwrap());
            check(&moved, is_json)?;
            let mut moved = text.clone();
            moved.insert_str(to, &typed);
            check(&moved, is_json)
        });
        run.unwrap();
    }
}

#[test]
fn any_text_is_read_or_rejected() {
    runner(1000)
        .run(&(any::<String>(), any::<bool>()), |(text, is_json)| check(&text, is_json))
        .unwrap();
}

#[test]
fn any_value_is_a_duration_or_a_size_or_neither() {
    let words = "[0-9]{0,25} ?[a-zA-Z$ ]{0,4}([0-9]{0,3}[a-z]{0,2}){0,3}";
    runner(1000)
        .run(&words, |text| {
            if let Ok(duration) = values::duration(&text) {
                // What was read is what was written: the same in its smallest unit.
                let again = values::duration(&format!("{}ms", duration.as_millis()));
                prop_assert_eq!(again, Ok(duration));
            }
            if let Ok(size) = values::size(&text) {
                prop_assert_eq!(values::size(&format!("{size}B")), Ok(size));
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn deep_nesting_is_an_error() {
    for (text, is_json) in [
        ("a = ".to_owned() + &"[".repeat(100_000), false),
        ("a = ".to_owned() + &"{ a = ".repeat(100_000), false),
        ("[".to_owned() + &"a.".repeat(30_000) + "a]", false),
        ("{\"a\":".repeat(100_000), true),
        ("[".repeat(100_000), true),
    ] {
        check(&text, is_json).unwrap();
    }
}
