//! Requests of any shape: whatever is taken for a token, or could be taken for one by the next reader,
//! is not in what handlers see.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use conformance::Request;
use portcullis::{
    AuthErrorKind, Authenticator, MultipleTokens, TokenLocation,
    adapter::HiddenTokens,
    strategy::{Attempt, Credential, Identity, Strategy as Kind},
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};

const CASES: u32 = 10_000;

/// Remembers every token that it is shown, and accepts it.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn take(&self) -> Vec<String> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kind for Seen {
    fn name(&self) -> &str {
        "seen"
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        let token = credential.token().to_owned();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(token);
        Attempt::Accept(Identity::new("x"))
    }
}

fn places() -> Vec<TokenLocation> {
    vec![
        TokenLocation::bearer(),
        TokenLocation::header("authorization").scheme("Key").prefix("k_"),
        TokenLocation::header("x-key").prefix("k_"),
        TokenLocation::query("access_token"),
        TokenLocation::query("key").prefix("k_"),
        TokenLocation::cookie("access_token"),
        TokenLocation::cookie("key").prefix("k_"),
        TokenLocation::web_socket_protocol("access_token"),
        TokenLocation::web_socket_protocol("key").prefix("k_"),
    ]
}

/// The same places, read as other systems do.
fn places_of_others() -> Vec<TokenLocation> {
    vec![
        trimmed(TokenLocation::header("authorization").exact_scheme("Bearer")),
        TokenLocation::header("authorization").exact_scheme("Key").prefix("k_"),
        required("Bearer ", TokenLocation::header("x-key")).prefix("Bearer k_"),
        trimmed(TokenLocation::query("access_token")),
        required("k_", TokenLocation::query("key")).prefix("k_").dangerous_repeated_prefix(),
        trimmed(TokenLocation::cookie("access_token")),
        TokenLocation::cookie("key").prefix("k_").dangerous_repeated_prefix(),
        trimmed(TokenLocation::web_socket_protocol("access_token")),
        required("k_", TokenLocation::web_socket_protocol("key")).prefix("k_"),
    ]
}

/// Removes white space from the token, and ignores an empty one.
fn trimmed(location: TokenLocation) -> TokenLocation {
    TokenLocation::custom("trimmed", [location], |values| {
        let tokens = values.iter().flatten().map(|token| token.trim_ascii());
        Ok(tokens.filter(|token| !token.is_empty()).map(ToOwned::to_owned).next())
    })
}

/// Rejects a value that does not start with this text.
fn required(start: &'static str, location: TokenLocation) -> TokenLocation {
    TokenLocation::custom("required", [location], move |values| match values {
        [Some(value)] if value.starts_with(start) => Ok(Some((*value).to_owned())),
        _ => Err(AuthErrorKind::MalformedToken.into()),
    })
}

/// The same places, read by functions of the application.
fn places_of_functions() -> Vec<TokenLocation> {
    let prefixed = |values: &[Option<&str>]| {
        let text = values.iter().flatten().next().copied().unwrap_or_default();
        Ok(text.rsplit_once("k_").map(|(_, token)| token.to_owned()))
    };
    let custom = |name: &str, source| TokenLocation::custom(name, [source], prefixed);
    let cookies = [TokenLocation::cookie("access_token"), TokenLocation::cookie("key")];
    vec![
        custom("field", TokenLocation::header("authorization")),
        custom("scheme", TokenLocation::header("x-key").scheme("Bearer")),
        custom("query", TokenLocation::query("key")),
        TokenLocation::custom("cookies", cookies, prefixed),
        custom("subprotocol", TokenLocation::web_socket_protocol("access_token")),
    ]
}

/// Pieces that the fields and queries of a request are put together from. `#` is a number of its own.
const PIECES: [&str; 29] = [
    "SECRET#",
    "SECRET#",
    "k_SECRET#",
    "access_token",
    "access_token=",
    "access_token=SECRET#",
    "access%5Ftoken=SECRET#",
    "ACCESS_TOKEN=SECRET#",
    "access_token=\"SECRET#\"",
    "key=k_SECRET#",
    "key=\"k_SECRET#\"",
    "key",
    "Bearer SECRET#",
    "bearer  SECRET#",
    "Bearer\tSECRET#",
    "Key k_SECRET#",
    "Bearer ",
    "Bearer k_SECRET#",
    "\t",
    "&",
    ";",
    "; ",
    ",",
    ", ",
    " ",
    "=",
    "%",
    "\"",
    "other=1",
];

fn value() -> impl Strategy<Value = String> {
    vec(select(PIECES.to_vec()), 0..7).prop_map(|pieces| pieces.concat())
}

#[derive(Clone, Debug)]
struct Parts {
    fields: Vec<(String, Vec<u8>)>,
    query: Option<String>,
}

impl Parts {
    /// Gives each secret a number of its own, so that each is found in one place only.
    fn numbered(mut self) -> Self {
        let mut next = 0_usize;
        let mut number = |text: &str| {
            text.chars().fold(String::new(), |mut numbered, character| {
                if character == '#' {
                    next += 1;
                    numbered.push_str(&format!("{next:03}"));
                } else {
                    numbered.push(character);
                }
                numbered
            })
        };
        for (_, value) in &mut self.fields {
            *value = number(&String::from_utf8_lossy(value)).into_bytes();
        }
        self.query = self.query.map(|query| number(&query));
        self
    }

    fn request(&self) -> Request {
        let fields = self.fields.iter();
        let request = fields
            .fold(Request::new(), |request, (name, value)| request.field(name, value.clone()));
        match &self.query {
            Some(query) => request.query(query.clone()),
            None => request,
        }
    }

    /// What an adapter leaves.
    fn without(mut self, hidden: &HiddenTokens) -> Self {
        for (name, values) in hidden.fields() {
            self.fields.retain(|(own, _)| own != name);
            let values = values.iter().map(|value| (name.to_owned(), value.clone()));
            self.fields.extend(values);
        }
        if let Some(query) = hidden.query() {
            self.query = Some(query.to_owned());
        }
        self
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    let names = ["authorization", "x-key", "cookie", "cookie", "sec-websocket-protocol"];
    let field = (select(names.to_vec()), value())
        .prop_map(|(name, value)| (name.to_owned(), value.into_bytes()));
    (vec(field, 0..4), option::of(value())).prop_map(|(fields, query)| {
        // A URI holds neither spaces nor quotes.
        let query = query.map(|query| query.replace([' ', '"', '\t'], ""));
        Parts { fields, query }.numbered()
    })
}

fn secrets(text: &str) -> Vec<String> {
    let found = text.match_indices("SECRET");
    found.filter_map(|(at, _)| text.get(at..at + 9).map(str::to_owned)).collect()
}

#[test]
fn nothing_that_was_taken_for_a_token_is_left() {
    let several = [MultipleTokens::Reject, MultipleTokens::First, MultipleTokens::All];
    let engines: Vec<_> = [places(), places_of_others(), places_of_functions()]
        .into_iter()
        .flat_map(|places| several.map(|several| (places.clone(), several)))
        .map(|(places, several)| {
            let seen = Seen::default();
            let auth = Authenticator::builder()
                .strategy(seen.clone())
                .locations(places)
                .multiple_tokens(several)
                .remove_tokens()
                .build()
                .unwrap();
            (auth, seen)
        })
        .collect();
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let shown = std::cell::Cell::new(0_usize);
    let ran = TestRunner::new(config).run(&parts(), |parts| {
        for (auth, seen) in &engines {
            let judge = |parts: &Parts| auth.authenticate_now(&parts.request());
            let verdict = judge(&parts);
            let tokens = seen.take();
            shown.set(shown.get() + tokens.len());
            let left = parts.clone().without(&verdict.hidden);
            let text = format!("{:?}", left.request());
            let fields = left.fields.iter().map(|(_, value)| String::from_utf8_lossy(value));
            let rest: Vec<String> =
                fields.map(|value| value.into_owned()).chain(left.query.clone()).collect();
            for secret in tokens.iter().flat_map(|token| secrets(token)) {
                prop_assert!(!rest.iter().any(|value| value.contains(&secret)), "{text}");
            }
            // Nor is there anything that another engine of these places would judge; but for what a
            // subprotocol of our name is followed by now, because the name must stay.
            let mut left = left;
            left.fields.retain(|(name, _)| name != "sec-websocket-protocol");
            let _ = judge(&left);
            let again = seen.take();
            prop_assert!(again.is_empty(), "{again:?} in {text}");
        }
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
    assert!(shown.get() > 1_000, "{}", shown.get());
}
