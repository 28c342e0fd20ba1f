//! Tokens that other people's libraries minted are accepted, and with one bit flipped rejected.
//!
//! The tokens come from a file, one JSON object a line, which `PORTCULLIS_INTEROP_TOKENS` names:
//!
//! ```json
//! {"library":"jose","version":"6.2.18","alg":"ES256","token":"eyJ…","jwk":{"kty":"EC"}}
//! {"library":"jose","version":"6.2.18","alg":"HS256","token":"eyJ…","secret":"c2VjcmV0"}
//! {"library":"jose","version":"6.2.18","skipped":["Ed25519"]}
//! ```

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "what is no test function here runs in tests alone"
)]

use std::{collections::BTreeMap, env, fs};

use base64_simd::URL_SAFE_NO_PAD;
use conformance::encode;
use portcullis::{Algorithm, Authenticator, Issuer, JwkSet, VerificationKey};
use portcullis_testkit::SigningKey;
use serde_json::{Value, json};

const ISSUER: &str = "https://interop.example";
const VARIABLE: &str = "PORTCULLIS_INTEROP_TOKENS";

#[test]
fn tokens_of_other_libraries_are_accepted_and_spoiled_ones_rejected() {
    let file = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} must name a file of tokens: `cargo xtask test` mints them and sets it")
    });
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut libraries = BTreeMap::new();
    let mut failures = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let line = Line::parse(line).unwrap_or_else(|what| panic!("{file}, line {number}: {what}"));
        let library: &mut Library = libraries.entry(line.library).or_default();
        match line.content {
            Content::Skipped(names) => library.skipped.extend(names),
            Content::Minted(minted) => {
                failures.extend(minted.failures().map(|what| format!("line {number}: {what}")));
                library.algorithms.push(minted.alg);
            }
        }
    }
    print_table(&libraries);
    assert!(!libraries.is_empty(), "{file} holds no token");
    for (name, library) in &libraries {
        assert!(!library.algorithms.is_empty(), "{file} holds no token of {name}");
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    let count = |of: fn(&Library) -> usize| libraries.values().map(of).sum::<usize>();
    println!(
        "interop: {} tokens of {} libraries verified, {} names not offered",
        count(|library| library.algorithms.len()),
        libraries.len(),
        count(|library| library.skipped.len())
    );
}

/// What the file says of one library.
#[derive(Debug, Default)]
struct Library {
    algorithms: Vec<String>,
    skipped: Vec<String>,
}

/// The library and its version, and what the line brings.
#[derive(Debug)]
struct Line {
    library: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Minted(Minted),
    Skipped(Vec<String>),
}

/// One token and what verifies it.
#[derive(Debug)]
struct Minted {
    name: String,
    alg: String,
    token: String,
    key: VerificationKey,
}

impl Line {
    fn parse(line: &str) -> Result<Self, String> {
        let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |name: &str| {
            let value = line.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
            value.ok_or_else(|| format!("`{name}` is not a text"))
        };
        let library = format!("{} {}", text("library")?, text("version")?);
        let content = match line.get("skipped") {
            Some(skipped) => {
                let names: Option<Vec<_>> =
                    skipped.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
                let names = names.ok_or("`skipped` is not a list of names")?;
                Content::Skipped(names.into_iter().map(ToOwned::to_owned).collect())
            }
            None => {
                let (alg, token) = (text("alg")?, text("token")?);
                let key = match line.get("jwk") {
                    Some(jwk) => public_key(jwk)?,
                    None => secret(&text("secret")?, &alg)?,
                };
                Content::Minted(Minted { name: format!("{library} {alg}"), alg, token, key })
            }
        };
        Ok(Self { library, content })
    }
}

fn public_key(jwk: &Value) -> Result<VerificationKey, String> {
    let set = JwkSet::from_json(&json!({"keys": [jwk]}).to_string());
    let set = set.map_err(|error| error.to_string())?;
    set.keys().first().cloned().ok_or_else(|| "no key".to_owned())
}

fn secret(base64url: &str, alg: &str) -> Result<VerificationKey, String> {
    let secret = URL_SAFE_NO_PAD.decode_to_vec(base64url).map_err(|error| error.to_string())?;
    let algorithm = alg.parse().map_err(|_| format!("{alg} is no algorithm"))?;
    VerificationKey::from_secret(secret, algorithm).map_err(|error| error.to_string())
}

impl Minted {
    /// Tells what is wrong with the token, or with the engine.
    fn failures(&self) -> impl Iterator<Item = String> {
        let checks = [
            ("as it is", self.check_accepted()),
            ("with a flipped bit", self.check_flipped()),
            ("where only another algorithm is allowed", self.check_other_algorithm()),
        ];
        let failed = |(what, result): (&str, Result<(), String>)| {
            result.err().map(|error| format!("{}, {what}: {error}", self.name))
        };
        checks.into_iter().filter_map(failed)
    }

    fn engine(&self, rules: impl FnOnce(Issuer) -> Issuer) -> Authenticator {
        let issuer = rules(Issuer::new(ISSUER).key(self.key.clone()));
        Authenticator::builder().issuer(issuer).audience("interop").build().unwrap()
    }

    fn check_accepted(&self) -> Result<(), String> {
        let engine = self.engine(|issuer| issuer);
        let caller = engine.authenticate_token_now(&self.token).map_err(|error| {
            format!(
                "rejected with {} ({:?})",
                error.kind().code(),
                std::error::Error::source(&error)
            )
        })?;
        let (principal, grant) = (caller.principal(), caller.grant());
        let note = principal.claim::<String>("note").map_err(|error| error.to_string())?;
        for (what, holds) in [
            ("issuer", principal.issuer() == ISSUER),
            ("subject", principal.subject() == "alice"),
            ("client id", principal.client_id() == Some("web")),
            ("scope orders:read", grant.has_scope("orders:read")),
            ("scope orders:write", grant.has_scope("orders:write")),
            ("number of scopes", grant.scope().iter().count() == 2),
            ("role", grant.roles().eq(["admin"])),
            ("note", note.as_deref() == Some("grüße 🎟")),
        ] {
            if !holds {
                return Err(format!("another {what} than was minted: {caller:?}"));
            }
        }
        Ok(())
    }

    fn check_flipped(&self) -> Result<(), String> {
        let (signing_input, signature) = self.token.rsplit_once('.').ok_or("no signature")?;
        let mut bytes =
            URL_SAFE_NO_PAD.decode_to_vec(signature).map_err(|error| error.to_string())?;
        let middle = bytes.len() / 2;
        *bytes.get_mut(middle).ok_or("an empty signature")? ^= 1;
        let token = format!("{signing_input}.{}", encode(bytes));
        expect_code(&self.engine(|issuer| issuer), &token, "signature_mismatch")
    }

    fn check_other_algorithm(&self) -> Result<(), String> {
        let is_other = |other: &Algorithm| self.key.algorithms().all(|own| own != *other);
        let other = [Algorithm::ES256, Algorithm::EdDSA].into_iter().find(is_other);
        let other = SigningKey::generate(other.ok_or("no other algorithm")?, "other");
        let key = other.verification_key().map_err(|error| error.to_string())?;
        let engine = self.engine(|issuer| issuer.key(key).algorithms([other.algorithm()]));
        expect_code(&engine, &self.token, "algorithm_not_allowed")
    }
}

fn expect_code(engine: &Authenticator, token: &str, code: &str) -> Result<(), String> {
    match engine.authenticate_token_now(token) {
        Err(error) if error.kind().code() == code => Ok(()),
        Err(error) => Err(format!("expected {code}, got {}", error.kind().code())),
        Ok(_) => Err(format!("expected {code}, got a caller")),
    }
}

/// Prints libraries by algorithms: `x` for a token, `-` for what the library does not offer.
fn print_table(libraries: &BTreeMap<String, Library>) {
    let mut names: Vec<&str> = Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect();
    names.push("Ed25519");
    let width = libraries.keys().map(String::len).max().unwrap_or_default();
    println!("{:width$}  {}", "", names.join(" "));
    for (library, Library { algorithms, skipped }) in libraries {
        let cell = |name: &&str| {
            let is_it = |own: &String| own == name;
            let mark = match (algorithms.iter().any(is_it), skipped.iter().any(is_it)) {
                (true, _) => "x",
                (false, true) => "-",
                (false, false) => "?",
            };
            format!("{mark:^len$}", len = name.len())
        };
        let cells: Vec<_> = names.iter().map(cell).collect();
        println!("{library:width$}  {}", cells.join(" ").trim_end());
    }
}
