//! `verify`: judges tokens from standard input.

use std::collections::BTreeMap;

use portcullis::{
    AuthError,
    adapter::{Authenticated, Challenge},
    explain,
};
use serde::Serialize;

use crate::{
    args::VerifyArguments,
    engine::Engine,
    failure::{Failure, Finding},
    output::{BAD, FAINT, Format, GOOD},
    stream::{self, Judge},
};

pub(crate) fn run(arguments: &VerifyArguments, format: Format) -> Result<Finding, Failure> {
    let engine = Engine::load(&arguments.engine)?;
    stream::run(Verifier { engine, is_json: format.is_json() })
}

struct Verifier {
    engine: Engine,
    is_json: bool,
}

impl Judge for Verifier {
    fn max_line(&self) -> usize {
        self.engine.max_token_len()
    }

    fn judge(&self, number: u64, line: &str, out: &mut Vec<u8>) -> Finding {
        match self.engine.judge(line) {
            Ok(caller) => {
                self.write(out, &Accepted::new(number, &caller), || accepted_text(number, &caller));
                Finding::AllFine
            }
            Err(error) => {
                self.write(out, &Rejected::new(number, &error), || rejected_text(number, &error));
                Finding::SomethingRejected
            }
        }
    }
}

impl Verifier {
    fn write(&self, out: &mut Vec<u8>, result: &impl Serialize, text: impl FnOnce() -> String) {
        if self.is_json {
            // Texts and numbers are always JSON.
            let _ = serde_json::to_writer(&mut *out, result);
        } else {
            push_text(out, &text());
        }
        out.push(b'\n');
    }
}

/// Adds text, with its colours only if a terminal shows them.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    let choice = anstream::AutoStream::choice(&std::io::stdout());
    if choice == anstream::ColorChoice::Never {
        out.extend(anstream::adapter::strip_str(text).flat_map(|part| part.as_bytes()));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

#[derive(Serialize)]
struct Accepted<'a> {
    line: u64,
    result: &'static str,
    strategy: &'a str,
    principal: PrincipalView<'a>,
    grant: GrantView<'a>,
    expires_at: Option<i64>,
}

#[derive(Serialize)]
struct PrincipalView<'a> {
    subject: &'a str,
    issuer: &'a str,
    client_id: Option<&'a str>,
    actors: Vec<ActorView<'a>>,
}

#[derive(Serialize)]
struct ActorView<'a> {
    subject: &'a str,
    issuer: Option<&'a str>,
}

#[derive(Serialize)]
struct GrantView<'a> {
    scope: Vec<&'a str>,
    roles: Vec<&'a str>,
    permissions: BTreeMap<&'a str, Vec<&'a str>>,
    groups: Vec<&'a str>,
}

impl<'a> Accepted<'a> {
    fn new(line: u64, caller: &'a Authenticated) -> Self {
        let (principal, grant) = (caller.principal(), caller.grant());
        let actors = principal.actors().iter();
        let actors = actors.map(|a| ActorView { subject: a.subject(), issuer: a.issuer() });
        let mut permissions = BTreeMap::<_, Vec<_>>::new();
        for (resource, level) in grant.permissions() {
            permissions.entry(resource).or_default().push(level);
        }
        Self {
            line,
            result: "accepted",
            strategy: principal.trusted_issuer(),
            principal: PrincipalView {
                subject: principal.subject(),
                issuer: principal.issuer(),
                client_id: principal.client_id(),
                actors: actors.collect(),
            },
            grant: GrantView {
                scope: grant.scope().iter().collect(),
                roles: grant.roles().collect(),
                permissions,
                groups: grant.groups().collect(),
            },
            expires_at: principal.expires_at().map(portcullis::NumericDate::seconds),
        }
    }
}

#[derive(Serialize)]
struct Rejected {
    line: u64,
    result: &'static str,
    status: u16,
    error: Option<&'static str>,
    code: &'static str,
}

impl Rejected {
    fn new(line: u64, error: &AuthError) -> Self {
        let challenge = Challenge::from(error);
        Self {
            line,
            result: "rejected",
            status: challenge.status(),
            error: challenge.error(),
            code: error.kind().code(),
        }
    }
}

fn accepted_text(number: u64, caller: &Authenticated) -> String {
    let (principal, grant) = (caller.principal(), caller.grant());
    let mut text = format!(
        "{FAINT}{number:>6}{FAINT:#}  {GOOD}accepted{GOOD:#}  {} of {}",
        explain::quoted(principal.subject()),
        explain::quoted(principal.trusted_issuer())
    );
    let mut add = |label: &str, values: Vec<&str>| {
        if !values.is_empty() {
            text.push_str(&format!(
                "\n          {label}: {}",
                explain::printable(&values.join(" "))
            ));
        }
    };
    add("scope", grant.scope().iter().collect());
    add("roles", grant.roles().collect());
    add("groups", grant.groups().collect());
    let permissions: Vec<_> =
        grant.permissions().map(|(on, level)| format!("{on}:{level}")).collect();
    add("permissions", permissions.iter().map(String::as_str).collect());
    if let Some(at) = principal.expires_at() {
        text.push_str(&format!("\n          until {}", explain::date(at)));
    }
    text
}

fn rejected_text(number: u64, error: &AuthError) -> String {
    let (code, status) = (error.kind().code(), Challenge::from(error).status());
    format!(
        "{FAINT}{number:>6}{FAINT:#}  {BAD}rejected{BAD:#}   {code} ({status}): {}",
        error.kind().description()
    )
}
