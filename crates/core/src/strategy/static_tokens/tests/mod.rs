mod files;

use std::{fs, path::PathBuf, time::Duration};

use super::*;
use crate::{Authenticator, FileError, NumericDate, ProductionError, Requirement};

const SECRET: &str = "4e1hvZ2m7pYcTq0sKfWbNw";

fn accepted(tokens: &StaticTokens, token: &str) -> Option<String> {
    match tokens.attempt(&Credential::new(token)) {
        Attempt::Accept(identity) => Some(identity.into_text().unwrap()),
        Attempt::Abstain => None,
        other => panic!("{other:?}"),
    }
}

/// Returns what is wrong with the content of a file.
fn in_file<E: std::error::Error + 'static>(error: &ConfigError) -> &E {
    let ConfigError::File(FileError::Unusable { source, .. }) = error else { panic!("{error:?}") };
    source.downcast_ref().unwrap()
}

fn of_text(text: &str) -> Result<StaticTokens, ConfigError> {
    StaticTokens::builder("set").identity(Identity::new("nobody").roles(["r"])).text(text).build()
}

#[test]
fn lines_are_tokens_with_or_without_a_name() {
    let unnamed = Some(r#"{"roles":["r"],"sub":"nobody"}"#.to_owned());
    let named = Some(r#"{"roles":["r"],"sub":"etl"}"#.to_owned());
    for (text, token, expected) in [
        ("secret", "secret", &unnamed),
        ("  secret \r\n", "secret", &unnamed),
        ("\u{feff}secret", "secret", &unnamed),
        ("# comment\n\nfirst\nsecond\n", "second", &unnamed),
        ("etl=secret", "secret", &named),
        ("etl = secret", "secret", &named),
        ("etl=s3cret=0", "s3cret=0", &named),
        ("etl=c2VjcmV0IQ==", "c2VjcmV0IQ==", &named),
        ("ZGVzIGEgc2VjcmV0LCBsb25nIQ==", "ZGVzIGEgc2VjcmV0LCBsb25nIQ==", &unnamed),
        ("ZGVzIGEgc2VjcmV0LCBsb25nISE=", "ZGVzIGEgc2VjcmV0LCBsb25nISE=", &unnamed),
        // The digest of "secret", and its label in any letter case.
        (
            "SHA256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
            "secret",
            &unnamed,
        ),
        (
            "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b",
            "secret",
            &unnamed,
        ),
        (
            "etl=sha256:2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B",
            "secret",
            &named,
        ),
    ] {
        assert_eq!(&accepted(&of_text(text).unwrap(), token), expected, "{text}");
    }
}

#[test]
fn nothing_but_the_whole_token_is_accepted() {
    let text =
        "etl=secret\nsha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let tokens = of_text(text).unwrap();
    let digest = text.lines().nth(1).unwrap();
    for token in ["", "secre", "secrets", "Secret", "etl=secret", "etl", digest, " secret", "#"] {
        assert_eq!(accepted(&tokens, token), None, "{token}");
    }
    assert_eq!(tokens.len(), 2);
}

#[test]
fn a_file_whose_text_was_lost_has_no_token_that_all_can_guess() {
    use crate::{Authenticator, RequestView, TokenLocation};

    struct Query(&'static str);

    impl RequestView for Query {
        fn field_values<'r>(&'r self, _: &str, _: &mut dyn FnMut(&'r [u8])) {}

        fn query(&self) -> Option<&str> {
            Some(self.0)
        }

        fn method(&self) -> &str {
            "GET"
        }

        fn authority(&self) -> Option<&str> {
            None
        }
    }

    for format in [TokenFormat::Lines, TokenFormat::Whole, TokenFormat::List] {
        let file = TokenFile::new("lost");
        file.write("first");
        let of_file = super::TokenFile::new(&file.0).format(format);
        let tokens = StaticTokens::builder("set").file(of_file).build().unwrap();
        let auth = Authenticator::builder().strategy(tokens.clone());
        let auth = auth.locations([TokenLocation::query("t")]).build().unwrap();
        for (text, guess) in [
            ("\0", "t=%00"),
            ("\0\0\0\0\n", "t=%00%00%00%00"),
            ("fi\0\0\0", "t=fi%00%00%00"),
            ("\u{feff}\u{feff}", "t=%EF%BB%BF"),
            ("\n\u{feff}\u{200b}\n", "t=%EF%BB%BF%E2%80%8B"),
            ("\u{1b}", "t=%1B"),
        ] {
            fs::write(&file.0, text).unwrap();
            let error = tokens.reload().err();
            assert!(auth.authenticate_now(&Query(guess)).result.is_err(), "{format:?} {text:?}");
            // What was good before stays.
            assert!(auth.authenticate_now(&Query("t=first")).result.is_ok());
            let error = error.unwrap();
            let found: &StaticTokenError = in_file(&error);
            assert!(matches!(found, StaticTokenError::InvalidLine { line: 1 | 2, .. }), "{found}");
        }
    }
}

#[test]
fn a_line_that_is_no_token_is_a_mistake_that_names_its_line_and_not_its_text() {
    for (text, line) in [
        ("good\ntwo words", 2),
        ("sha256:abc", 1),
        (
            concat!(
                "sha256:",
                "z",
                "bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
            ),
            1,
        ),
        ("\n\nsha256:", 3),
        // A name whose token is missing is no token that ends in padding.
        ("etl=", 1),
        ("backup-job=\n", 1),
        ("etl = ", 1),
        ("ci==", 1),
        ("=", 1),
        ("=secret", 1),
        // Not a name in front of the `=`, or more likely one token than a name with a token.
        ("p$ss=secret", 1),
        ("two words=secret", 1),
        ("caf\u{e9}=secret", 1),
        ("s3cret=0", 1),
        ("s3cret=abc", 1),
        ("etl=\u{e9}", 1),
    ] {
        let error = of_text(text).unwrap_err();
        let ConfigError::StaticToken(StaticTokenError::InvalidLine { line: found, .. }) = &error
        else {
            panic!("{error}")
        };
        assert_eq!(*found, line, "{text}");
        assert!(!error.to_string().contains("words"), "{error}");
    }
    let empty = StaticTokens::builder("set").token("", Identity::new("x")).build();
    assert!(matches!(empty.unwrap_err(), ConfigError::StaticToken(_)));
    let unset = StaticTokens::builder("set").env("PORTCULLIS_TEST_NOT_SET").build().unwrap_err();
    assert!(unset.to_string().contains("PORTCULLIS_TEST_NOT_SET"), "{unset}");
}

#[test]
fn a_set_without_a_token_lets_nobody_in() {
    let tokens = of_text("# none yet").unwrap();
    assert!(tokens.is_empty());
    let auth = Authenticator::builder().strategy(tokens).build().unwrap();
    assert_eq!(auth.authenticate_token_now("x").unwrap_err().kind().code(), "no_credentials");
}

#[test]
fn tokens_are_callers_of_the_set() {
    let identity = Identity::new("service:etl").roles(["writer"]).scope("jobs:read");
    let tokens = StaticTokens::builder("service-tokens").token(SECRET, identity).build().unwrap();
    let shown = format!("{tokens:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    let auth = Authenticator::builder().strategy(tokens).build().unwrap();
    let auth = auth.with_requirement(Requirement::issuer("service-tokens")).unwrap();
    let caller = auth.authenticate_token_now(SECRET).unwrap();
    assert_eq!(caller.principal().issuer(), "service-tokens");
    assert!(caller.grant().has_scope("jobs:read"));
    assert_eq!(caller.principal().expires_at(), None::<NumericDate>);
}

/// A file of its own for each test, which is gone at the end.
struct TokenFile(PathBuf);

impl TokenFile {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("portcullis-{}-{name}", std::process::id()));
        Self(path)
    }

    fn write(&self, text: &str) {
        let next = self.0.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    fn tokens(&self) -> StaticTokensBuilder {
        StaticTokens::builder("set").file(&self.0).reload_every(Duration::from_secs(3600))
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_token_is_replaced_by_way_of_both() {
    let file = TokenFile::new("rotation");
    let mut expected = Vec::new();
    file.write("first");
    let tokens = file.tokens().build().unwrap();
    for (text, first, second) in
        [("first\nsecond", true, true), ("second", false, true), ("", false, false)]
    {
        file.write(text);
        tokens.reload().unwrap();
        let seen = ["first", "second"].map(|token| accepted(&tokens, token).is_some());
        expected.push((seen, [first, second]));
    }
    assert!(expected.iter().all(|(seen, wanted)| seen == wanted), "{expected:?}");
}

#[test]
fn a_file_that_cannot_be_used_changes_nothing_and_is_told() {
    let file = TokenFile::new("broken");
    assert!(matches!(
        file.tokens().build().unwrap_err(),
        ConfigError::File(FileError::Unreadable { .. })
    ));
    file.write("first");
    let tokens = file.tokens().build().unwrap();
    assert!(tokens.last_error().is_none());
    file.write("two words");
    assert!(matches!(*tokens.reload().unwrap_err(), ConfigError::File(FileError::Unusable { .. })));
    assert!(tokens.last_error().is_some() && accepted(&tokens, "first").is_some());
    fs::remove_file(&file.0).unwrap();
    assert!(matches!(
        *tokens.reload().unwrap_err(),
        ConfigError::File(FileError::Unreadable { .. })
    ));
    fs::create_dir(&file.0).unwrap();
    assert!(tokens.reload().is_err());
    fs::remove_dir(&file.0).unwrap();
    file.write(&"x".repeat(300_000));
    assert!(tokens.reload().is_err() && accepted(&tokens, "first").is_some());
    file.write("second");
    tokens.reload().unwrap();
    assert!(tokens.last_error().is_none() && accepted(&tokens, "second").is_some());
}

#[test]
fn files_are_read_again_without_being_told_and_no_good_token_is_rejected_meanwhile() {
    let file = TokenFile::new("watched");
    file.write("stays\nfirst");
    let every = Duration::from_millis(10);
    let clock = files::Moved::new();
    let tokens = file.tokens().reload_every(every).clock(clock.clone()).build().unwrap();
    for round in 0..20 {
        let next = format!("token-{round}");
        file.write(&format!("stays\n{next}"));
        let started = std::time::Instant::now();
        while accepted(&tokens, &next).is_none() {
            assert!(accepted(&tokens, "stays").is_some());
            clock.advance(Duration::from_millis(1));
            assert!(started.elapsed() < Duration::from_secs(20), "it is never read again");
        }
    }
    assert_eq!(accepted(&tokens, "first"), None);
}

#[test]
fn the_thread_ends_with_the_last_clone() {
    let file = TokenFile::new("thread");
    file.write("first");
    let tokens = file.tokens().build().unwrap();
    let shared = Arc::downgrade(&tokens.shared);
    drop(tokens.clone());
    assert!(shared.upgrade().is_some());
    drop(tokens);
    let started = std::time::Instant::now();
    while shared.strong_count() > 0 {
        assert!(started.elapsed() < Duration::from_secs(20), "something holds it");
        std::thread::yield_now();
    }
}

#[test]
fn other_forms_take_tokens_as_they_are() {
    let (whole, list) = (TokenFormat::Whole, TokenFormat::List);
    for (format, text, good, bad) in [
        (whole, " \u{feff}one\n", vec!["\u{feff}one"], vec!["one"]),
        (whole, "\u{feff} one two\r\n", vec!["one two"], vec!["one", "two", " one two"]),
        (whole, "one,two", vec!["one,two"], vec!["one", "two"]),
        (whole, "one\ntwo", vec!["one\ntwo"], vec!["one", "two"]),
        (whole, "name=token", vec!["name=token"], vec!["token", "name"]),
        (whole, " \n", vec![], vec!["", " ", "\n"]),
        (list, "one, two\nthree\r\n,,\n", vec!["one", "two", "three"], vec!["", "one, two"]),
        (list, "#one,ci=,ab=c", vec!["#one", "ci=", "ab=c"], vec!["one", "ci", "c"]),
        (list, "sha256:ab", vec!["sha256:ab"], vec!["ab"]),
        (list, ",\n, ", vec![], vec!["", ","]),
    ] {
        let tokens = StaticTokens::builder("set").text_of_format(text, format).build().unwrap();
        assert_eq!(tokens.len(), good.len(), "{text:?}");
        for token in good {
            assert!(accepted(&tokens, token).is_some(), "{text:?}: {token:?}");
        }
        for token in bad {
            assert!(accepted(&tokens, token).is_none(), "{text:?}: {token:?}");
        }
        let file = TokenFile::new("form");
        file.write(text);
        let file = super::TokenFile::new(&file.0).format(format);
        let of_file = StaticTokens::builder("set").file(file).build().unwrap();
        assert_eq!(of_file.len(), tokens.len(), "{text:?}");
    }
}

#[test]
fn settings_without_any_token_make_no_set() {
    let builder = || StaticTokens::builder("set").read_once();
    let list = |text| builder().text_of_format(text, TokenFormat::List).build_if_any().unwrap();
    assert!(list("").is_none() && list(" ,\n, ").is_none());
    assert_eq!(list("a,b").unwrap().len(), 2);
    assert!(builder().text("# a comment").files(None::<&str>).build_if_any().unwrap().is_none());
    // One may come, and what cannot be read is an error all the same.
    let missing = super::TokenFile::new("/missing");
    let optional = builder().files([missing.clone().optional()]).build_if_any();
    assert!(optional.unwrap().unwrap().is_empty());
    assert!(builder().files(Some(missing)).build_if_any().is_err());
}

#[test]
fn a_variable_may_have_another_form() {
    let (variable, text) = ("CARGO_PKG_DESCRIPTION", env!("CARGO_PKG_DESCRIPTION"));
    let builder = StaticTokens::builder("set").env_of_format(variable, TokenFormat::Whole);
    assert!(text.contains(' ') && accepted(&builder.build().unwrap(), text).is_some());
    let lines = StaticTokens::builder("set").env(variable).build();
    let ConfigError::StaticToken(StaticTokenError::InvalidLine { line, .. }) = lines.unwrap_err()
    else {
        panic!("not an invalid line")
    };
    assert_eq!(line, 1);
}

#[test]
fn a_file_that_may_be_missing_is_one_without_tokens() {
    let file = TokenFile::new("optional");
    let optional = super::TokenFile::new(&file.0).optional();
    let tokens = StaticTokens::builder("set").file(optional).build().unwrap();
    assert!(tokens.is_empty());
    file.write("first");
    tokens.reload().unwrap();
    assert!(accepted(&tokens, "first").is_some());
    fs::remove_file(&file.0).unwrap();
    tokens.reload().unwrap();
    assert!(tokens.is_empty());
    // Anything else that is wrong with it is an error all the same.
    fs::create_dir(&file.0).unwrap();
    let rejected = tokens.reload();
    fs::remove_dir(&file.0).unwrap();
    assert!(matches!(*rejected.unwrap_err(), ConfigError::File(FileError::Unreadable { .. })));
}

#[test]
fn files_that_are_read_once_have_no_thread_and_are_read_again_when_told() {
    let file = TokenFile::new("once");
    file.write("first");
    let tokens = file.tokens().read_once().build().unwrap();
    assert!(tokens.reloading.is_none());
    file.write("second");
    assert!(accepted(&tokens, "first").is_some());
    tokens.reload().unwrap();
    assert!(accepted(&tokens, "first").is_none() && accepted(&tokens, "second").is_some());
}

#[test]
fn production_rejects_tokens_that_can_be_guessed() {
    let built = |tokens: StaticTokensBuilder| {
        let auth = Authenticator::builder().strategy(tokens.build().unwrap()).production();
        auth.build().map(|_| ())
    };
    let set = || StaticTokens::builder("services");
    let (short, long) = ("fifteen-bytes-x", "sixteen-bytes-xx");
    for short in [set().text(short), set().token(short, Identity::new("x")), set().text("etl=0000")]
    {
        let error = built(short).unwrap_err();
        let ConfigError::Production(error) = error else { panic!("{error}") };
        assert_eq!(error, ProductionError::ShortToken { name: "services".to_owned() });
        let text = error.to_string();
        assert!(text.contains("`services`") && text.contains("16 bytes"), "{text}");
        assert!(text.contains("32 random bytes") && !text.contains("fifteen"), "{text}");
    }
    built(set().text(long)).unwrap();
}

#[test]
fn production_rejects_short_tokens_of_a_file_that_is_read_again() {
    let file = TokenFile::new("short");
    file.write("a-token-that-is-long-enough\n");
    let tokens = file.tokens().build().unwrap();
    let auth = Authenticator::builder().strategy(tokens.clone()).production().build().unwrap();
    file.write("a-token-that-is-long-enough\nshort\n");
    let error = tokens.reload().unwrap_err();
    assert!(matches!(in_file(&error), ProductionError::ShortToken { .. }), "{error:?}");
    assert!(auth.authenticate_token_now("short").is_err());
    assert!(auth.authenticate_token_now("a-token-that-is-long-enough").is_ok());
}

#[cfg(feature = "tracing")]
#[test]
fn production_warns_of_tokens_shorter_than_32_bytes() {
    for (len, warns) in [(16, true), (31, true), (32, false)] {
        let tokens = StaticTokens::builder("set").text("x".repeat(len)).build().unwrap();
        let told = crate::test_log::told("portcullis", tracing::Level::WARN, || {
            Authenticator::builder().strategy(tokens).production().build().unwrap();
        });
        assert_eq!(told.len(), usize::from(warns), "{told:?}");
    }
}
