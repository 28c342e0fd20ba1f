//! Guesses at a static token that share more or less of it.

use std::hint::black_box;

use portcullis::{
    AuthErrorKind, Authenticator, StaticTokens,
    strategy::{Attempt, Credential, Identity, Strategy},
};

use crate::{Case, Request, Run};

const TOKEN: &str = "4e1hvZ2m7pYcTq0sKfWbNw8xRdLj3GuA";

/// Guesses of the token's length. A dot stands for what is guessed wrong.
const GUESSES: [(&str, &str); 7] = [
    ("nothing", "................................"),
    ("1 letter", "4..............................."),
    ("16 letters", "4e1hvZ2m7pYcTq0s................"),
    ("31 letters", "4e1hvZ2m7pYcTq0sKfWbNw8xRdLj3Gu."),
    ("all but the first", ".e1hvZ2m7pYcTq0sKfWbNw8xRdLj3GuA"),
    ("all but one in the middle", "4e1hvZ2m7pYcTq0s.fWbNw8xRdLj3GuA"),
    ("the end alone", "...............................A"),
];

/// What the guesses are at: an engine's static token, and a control that stops at the first letter which
/// differs. A measurement that sees nothing there sees nothing anywhere.
pub const GUESSED: [&str; 2] = ["guess", "control"];

/// Returns what each guess at one of [`GUESSED`] shares with the token, and its case.
///
/// Each is to be counted in a program of its own, where no other is set up: where a text stands in
/// memory changes how it is copied, so that programs which are to be compared must differ in the guess
/// alone. For the same reason the names are of one length: they are arguments of the program.
pub fn guess_cases(guessed: &'static str) -> impl Iterator<Item = (&'static str, Case)> {
    GUESSES.into_iter().zip(0_u8..).map(move |((shares, guess), number)| {
        let name = format!("{guessed} {number}");
        (shares, Case::new(name, move || set_up(guessed, guess)))
    })
}

fn set_up(guessed: &str, guess: &str) -> Run {
    let auth = if guessed == "guess" { engine(tokens()) } else { engine(StopsEarly) };
    assert!(auth.authenticate_now(&Request::bearer(TOKEN)).result.is_ok(), "the token is good");
    assert_eq!(guess.len(), TOKEN.len(), "guesses are as long as the token");
    let request = Request::bearer(guess);
    let judge = move || auth.authenticate_now(black_box(&request)).result;
    let kind = judge().map_err(|error| error.kind()).err();
    assert_eq!(kind, Some(AuthErrorKind::NoCredentials), "a guess is of no kind that is known");
    Box::new(move || {
        let _ = black_box(judge());
    })
}

fn tokens() -> StaticTokens {
    StaticTokens::builder("tokens")
        .text("an-older-one-of-the-same-length-")
        .token(TOKEN, Identity::new("service"))
        .text("one-that-comes-next-of-that-size")
        .build()
        .expect("tokens")
}

fn engine(strategy: impl Strategy + 'static) -> Authenticator {
    Authenticator::builder().strategy(strategy).build().expect("an engine")
}

/// Compares as one must not.
#[derive(Debug)]
struct StopsEarly;

impl Strategy for StopsEarly {
    fn name(&self) -> &str {
        "stops early"
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        let mut letters = TOKEN.bytes().zip(credential.token().bytes());
        match letters.all(|(right, guessed)| black_box(right) == black_box(guessed)) {
            true => Attempt::Accept(Identity::new("service")),
            false => Attempt::Abstain,
        }
    }
}
