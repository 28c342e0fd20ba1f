//! `[[issuer]]`: an issuer that is trusted, its keys, and the rules for its tokens.

use portcullis::{
    Algorithm, AuthenticatorBuilder, Issuer,
    issuer::{TokenProfile, TokenType},
};

use crate::{
    apply::Applying,
    grant::{self, GRANT},
    issuer_keys,
    mistakes::Mistakes,
    section::Section,
    table::{
        Apply::{Duration, Each, Flag, OneSection, Texts, Together, Words},
        Kind, Table, rows,
    },
};

/// The names of signature algorithms.
pub(crate) const ALGORITHMS: &[&str] = &[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "HS256", "HS384", "HS512",
];

pub(crate) static ISSUER: Table<Issuer> = Table {
    rows: rows! {
        issuer: Together(Kind::Text), "required, or `name`",
            "The `iss` of its tokens, byte for byte";
        name: Together(Kind::Text), "none",
            "Stands in place of `issuer`, with `dangerous_any_issuer`";
        dangerous_any_issuer: Together(Kind::Flag), "false",
            "Trusts tokens with any `iss` or none that its keys verify";
        audience: Each(Issuer::audience), "that above",
            "Who this service is in `aud`: any of these; required unless \
             `dangerous_any_audience`", filled;
        dangerous_any_audience: Flag(Issuer::dangerous_any_audience), "false",
            "Accepts tokens that are meant for anyone";
        algorithms: Words(ALGORITHMS, |issuer: Issuer, names| issuer.algorithms(algorithms(&names))),
            "every asymmetric one that its keys allow; `HS256` for secrets",
            "The signature algorithms that are allowed", filled;
        discovery: Together(Kind::Flag), "false",
            "Finds the keys by OpenID Connect Discovery or RFC 8414";
        jwks_uri: Together(Kind::TextOrTexts), "none",
            "URLs of JWK Sets", filled;
        jwks_file: Together(Kind::TextOrTexts), "none",
            "Files that hold a JWK Set or a single JWK, read again when they change", filled;
        pem_file: Together(Kind::TextOrTexts), "none",
            "Files that hold a public key or certificate, read again when they change", filled;
        secret_file: Together(Kind::TextOrTexts), "none",
            "Files that hold a shared secret, their bytes less one final newline, read again when \
             they change", filled;
        secret_env: Together(Kind::TextOrTexts), "none",
            "Environment variables that hold a shared secret", filled;
        dangerous_short_secrets: Together(Kind::Flag), "false",
            "Accepts secrets that are shorter than the hash";
        try_all_keys: Flag(Issuer::try_all_keys), "false",
            "Tries every key that fits, four at most, for a token without `kid`";
        match_key_ids: Flag(Issuer::match_key_ids), "false",
            "Finds keys by their ids alone: a token without `kid` is for PEM files and secrets, \
             which are not watched then";
        last_key_of_id_wins: Flag(Issuer::last_key_of_id_wins), "false",
            "Of several keys with one id the last counts, of those that fit";
        refresh: Together(Kind::Duration), "10m",
            "How often keys are fetched where their document names no lifetime";
        min_refresh: Together(Kind::Duration), "30s",
            "The shortest lifetime that a document may name";
        max_refresh: Together(Kind::Duration), "24h",
            "The longest lifetime that a document may name";
        max_stale: Together(Kind::Duration), "24h",
            "How long keys stay usable after the last success";
        dangerous_unlimited_staleness: Together(Kind::Flag), "false",
            "Keys stay usable for ever after one success";
        wait: Together(Kind::Duration), "1s",
            "How long a request waits for a key that is not there yet";
        timeout: Together(Kind::Duration), "5s",
            "The longest time to fetch one document";
        dangerous_allow_http: Together(Kind::Flag), "false",
            "Fetches plain `http` from other machines too";
        leeway: Duration(Issuer::leeway), "60s",
            "How far clocks may differ";
        profile: Together(Kind::Word(&["at+jwt"])), "none",
            "The rules of RFC 9068 for access tokens, on top";
        type: Together(Kind::Texts), "[\"\", \"JWT\", \"at+jwt\"]",
            "The types that `typ` may name; `\"\"`: it is absent", filled;
        required_claims: Texts(Issuer::required_claims), "none",
            "Claims that must be there, beside those that the rules need";
        max_age: Duration(Issuer::max_age), "no limit",
            "The longest time since `iat`, which then must be there";
        max_lifetime: Duration(Issuer::max_lifetime), "no limit",
            "The longest time from `iat` to `exp`, which then must be there";
        require_jti: Flag(Issuer::require_jti), "as `[revocation]` says",
            "Rejects tokens without `jti`";
        one_time: Flag(Issuer::one_time), "false",
            "Accepts each token once, on all replicas; needs `[revocation]`";
        subject: Texts(Issuer::subjects), "all",
            "The subjects that the issuer may speak for", filled;
        whole_seconds: Flag(Issuer::whole_seconds), "false",
            "Cuts the fractions of `exp`, `nbf` and `iat` off";
        dangerous_optional_expiry: Flag(Issuer::dangerous_optional_expiry), "false",
            "Accepts tokens without `exp`";
        dangerous_zero_is_no_date: Flag(Issuer::dangerous_zero_is_no_date), "false",
            "Takes an `exp`, `nbf` or `iat` of `0` for one that is not there";
        dangerous_any_token_type: Flag(Issuer::dangerous_any_token_type), "false",
            "Accepts tokens whatever their `typ` says";
        dangerous_optional_subject: Flag(Issuer::dangerous_optional_subject), "false",
            "Accepts tokens without `sub`";
        dangerous_ignore_binding: Flag(Issuer::dangerous_ignore_binding), "false",
            "Accepts tokens that are bound to their sender without checking that";
        grant: OneSection(&GRANT, grant::apply), "see its keys",
            "Which claims hold the rights";
    },
    check,
};

fn check(section: &Section, mistakes: &mut Mistakes) {
    let any_issuer = section.flag("dangerous_any_issuer");
    let mut wrong = |key: &str, message: &str, help: &str| {
        mistakes.add(section.path_of(key), message, help);
    };
    match (section.has("issuer"), section.has("name"), any_issuer) {
        (true, false, false) | (false, true, true) => {}
        (true, _, true) => {
            wrong("issuer", "with `dangerous_any_issuer` it names nobody", "say `name` instead");
        }
        (_, true, false) => {
            let help = "say `issuer` for the `iss` of one issuer's tokens";
            wrong("name", "goes with `dangerous_any_issuer = true`", help);
        }
        (false, false, _) if section.lacks_values() => {}
        (false, false, _) => {
            let help = "expected the `iss` of the issuer's tokens, byte for byte";
            wrong("issuer", "it is missing", help);
        }
    }
    let one = "leave one of them out";
    if section.flag("dangerous_unlimited_staleness") && section.has("max_stale") {
        wrong("max_stale", "it contradicts `dangerous_unlimited_staleness`", one);
    }
    if section.flag("try_all_keys") && section.flag("match_key_ids") {
        wrong("try_all_keys", "it contradicts `match_key_ids`", one);
    }
    if section.flag("one_time") && section.flag("dangerous_optional_expiry") {
        wrong("one_time", "it contradicts `dangerous_optional_expiry`", one);
    }
    let names_types = section.has("type") || section.has("profile");
    if section.flag("dangerous_any_token_type") && names_types {
        wrong("dangerous_any_token_type", "it contradicts `type` and `profile`", one);
    }
}

pub(crate) fn apply(
    builder: AuthenticatorBuilder,
    section: &Section,
    applying: &Applying<'_>,
) -> AuthenticatorBuilder {
    builder.issuer(issuer(section, applying))
}

pub(crate) fn issuer(section: &Section, applying: &Applying<'_>) -> Issuer {
    let name = name(section);
    let issuer = match section.flag("dangerous_any_issuer") {
        true => Issuer::dangerous_any(name),
        false => Issuer::new(name),
    };
    let mut issuer = ISSUER.apply(issuer, section, applying);
    // After the rows that relax checks, because a profile makes claims required again.
    if section.has("profile") {
        issuer = issuer.profile(TokenProfile::AtJwt);
    }
    if section.has("type") {
        issuer = issuer.token_types(section.texts("type").iter().map(|name| token_type(name)));
    }
    issuer_keys::apply(issuer, section, applying)
}

/// Returns the `iss` of the issuer's tokens, or the name of one that stands for any.
pub(crate) fn name(section: &Section) -> &str {
    section.text("issuer").or(section.text("name")).unwrap_or_default()
}

pub(crate) fn algorithms(names: &[String]) -> Vec<Algorithm> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

fn token_type(name: &str) -> TokenType {
    match name {
        "" => TokenType::Absent,
        "JWT" => TokenType::Jwt,
        "at+jwt" => TokenType::AtJwt,
        other => TokenType::Other(other.to_owned()),
    }
}
