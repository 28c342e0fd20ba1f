//! The lines of the minting scripts.

use std::collections::BTreeMap;

/// RS, PS and ES in three sizes each, HS in three, and the two names for Ed25519.
const ALGORITHMS: usize = 14;

/// What one library minted.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Minted {
    pub(crate) version: String,
    pub(crate) tokens: usize,
    /// The algorithms that the library does not offer; `None` until the library's last line.
    pub(crate) skipped: Option<Vec<String>>,
}

/// Counts the tokens of each library, and fails unless each accounts for every algorithm.
pub(crate) fn count(lines: &str) -> Result<BTreeMap<String, Minted>, String> {
    let mut libraries = BTreeMap::<String, Minted>::new();
    for line in lines.lines() {
        let library = between(line, "\"library\":\"", "\"")
            .ok_or_else(|| format!("a minting script printed a line without a library: {line}"))?;
        let minted = libraries.entry(library.to_owned()).or_default();
        between(line, "\"version\":\"", "\"").unwrap_or_default().clone_into(&mut minted.version);
        if let Some(names) = between(line, "\"skipped\":[", "]") {
            let names = names.split(',').filter(|name| !name.is_empty());
            minted.skipped = Some(names.map(|name| name.replace('"', "")).collect());
        } else if between(line, "\"token\":\"", "\"").is_some() {
            minted.tokens += 1;
        } else {
            return Err(format!("a minting script printed a line without a token: {line}"));
        }
    }
    for (library, minted) in &libraries {
        let skipped = minted.skipped.as_ref().ok_or_else(|| format!("{library} did not finish"))?;
        if minted.tokens + skipped.len() != ALGORITHMS {
            return Err(format!(
                "{library}: {} tokens and {} skipped make no {ALGORITHMS} algorithms",
                minted.tokens,
                skipped.len()
            ));
        }
    }
    Ok(libraries)
}

/// The text between `start` and the `end` after it.
pub(crate) fn between<'a>(line: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(library: &str, amount: usize) -> String {
        format!("{{\"library\":\"{library}\",\"version\":\"1.2\",\"alg\":\"RS256\",\"token\":\"a.b.c\"}}\n")
            .repeat(amount)
    }

    #[test]
    fn counts_by_library() {
        let lines = tokens("a", 12)
            + "{\"library\":\"a\",\"version\":\"1.2\",\"skipped\":[\"EdDSA\",\"Ed25519\"]}\n"
            + &tokens("b", 14)
            + "{\"library\":\"b\",\"version\":\"1.2\",\"skipped\":[]}\n";
        let libraries = count(&lines).unwrap();
        assert_eq!(
            libraries["a"],
            Minted {
                version: "1.2".to_owned(),
                tokens: 12,
                skipped: Some(vec!["EdDSA".to_owned(), "Ed25519".to_owned()]),
            }
        );
        assert_eq!(libraries["b"].tokens, 14);
        assert_eq!(libraries["b"].skipped, Some(vec![]));
    }

    #[test]
    fn rejects_a_library_that_did_not_finish() {
        assert_eq!(count(&tokens("a", 14)).unwrap_err(), "a did not finish");
    }

    #[test]
    fn rejects_a_library_that_leaves_an_algorithm_out() {
        let lines = tokens("a", 13) + "{\"library\":\"a\",\"version\":\"1.2\",\"skipped\":[]}\n";
        assert!(count(&lines).unwrap_err().starts_with("a: 13 tokens and 0 skipped"));
    }

    #[test]
    fn rejects_other_lines() {
        assert!(count("warning: something").is_err());
        assert!(count("{\"library\":\"a\",\"version\":\"1.2\"}").is_err());
    }
}
