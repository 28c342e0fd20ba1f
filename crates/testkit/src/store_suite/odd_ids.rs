//! Ids that a store could confuse, cut or reject.

/// Returns ids that differ from each other only in what a careless store loses: characters that end or
/// quote a text in some language, letter case, white space, Unicode forms, and what follows a long prefix.
///
/// An id is as long as a token can make it; these are up to 1,001 bytes long.
pub(super) fn odd_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "a",
        "A",
        "a ",
        " a",
        "a\t",
        "a\n",
        "a\r\n",
        "a\0",
        "a\0b",
        "\0",
        "a'",
        "a''",
        "a\"",
        "a\\",
        "a\\0",
        "a%",
        "a_",
        "a*",
        "a?",
        "a:",
        "a::",
        ":a",
        "a:b",
        "a;b",
        "a,b",
        "a/b",
        "a|b",
        "a--b",
        "{a}",
        "{a",
        "{}",
        "$1",
        "${a}",
        "[a]",
        "(a)",
        "a&b",
        "a=b",
        "a#b",
        "null",
        "NULL",
        "0",
        "00",
        "0.0",
        "-1",
        "1e3",
        "true",
        "\u{e9}",
        "e\u{301}",
        "\u{c9}",
        "\u{df}",
        "ss",
        "\u{130}",
        "i",
        "\u{131}",
        "\u{1f511}",
        "\u{200d}",
        "\u{feff}a",
        "\u{202e}a",
        "\u{ffff}",
        "\u{10ffff}",
        "'; drop table revocations; --",
        "",
    ]
    .map(str::to_owned)
    .into();
    let long = "0123456789".repeat(100);
    ids.push(format!("{long}a"));
    ids.push(format!("{long}b"));
    ids.push(long);
    ids
}

/// Returns pairs of issuer and id that are the same text once they are written after each other with a
/// separator that a store may use.
pub(super) fn pairs_with_separators(issuer: &str) -> Vec<(String, String)> {
    [":", "/", "|", "\0", ",", " ", "{", "}", "\u{1f}", "%", "\\", "'"]
        .iter()
        .flat_map(|separator| {
            [
                (format!("{issuer}{separator}x"), "y".to_owned()),
                (issuer.to_owned(), format!("x{separator}y")),
                (format!("{issuer}{separator}"), format!("x{separator}y")),
            ]
        })
        .collect()
}
