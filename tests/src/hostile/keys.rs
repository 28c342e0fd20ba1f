//! Keys and URLs that the attacker chooses.

use portcullis::{Algorithm, Issuer};
use portcullis_testkit::{SigningKey, TokenBuilder};
use serde_json::{Value, json};

use crate::{Row, Setting};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [
        keys_in_the_header(setting),
        hostile_key_ids(setting),
        tokens_without_key_id(setting),
        keys_of_other_issuers(setting),
    ]
    .concat()
}

fn keys_in_the_header(setting: &Setting) -> Vec<Row> {
    let attackers = setting.attacker.key(Algorithm::ES256);
    let jwk = attackers.public_jwk().expect("a public key");
    let url = "https://attacker.test/keys";
    let members: [(&str, &str, Value); 5] = [
        ("jwk", "§2 CVE-2018-0114, CVE-2026-27962, CVE-2026-34240", jwk.clone()),
        ("jwks", "§2 CVE-2018-0114", json!({"keys": [jwk]})),
        ("jku", "§2 CVE-2026-32301, §7", url.into()),
        ("x5u", "§7 keys that the token brings", url.into()),
        ("x5c", "§7 keys that the token brings", json!(["MIIBszCCAVmgAwIBAgIUd2g="])),
    ];
    let mut rows = Vec::new();
    for (member, stands_for, value) in members {
        let token = setting.valid().key(attackers).header(member, value);
        for (key_id, token, code) in [
            ("the `kid` of a trusted key", token.clone(), "signature_mismatch"),
            ("no `kid`", token.clone().without_key_id(), "signature_mismatch"),
            ("a `kid` of its own", token.header("kid", "attacker"), "unknown_key"),
        ] {
            let phrase = format!("`{member}` in the header brings the signer's key, with {key_id}");
            rows.push(Row::rejected(&setting.plain, phrase, stands_for, token, code));
        }
    }
    rows
}

fn hostile_key_ids(setting: &Setting) -> Vec<Row> {
    let long = "k".repeat(256);
    let mut rows = Vec::new();
    for (what, key_id) in [
        ("a path", "../../../../dev/null"),
        ("an absolute path", "/etc/ssl/certs/ca-certificates.crt"),
        ("a file URL", "file:///dev/null"),
        ("a URL of the attacker's", "https://attacker.test/keys"),
        ("SQL", "x' UNION SELECT 'secret'; --"),
        ("a template", "{{7*7}}${7*7}#{7*7}%(kid)s"),
        ("a shell command", "$(id)|`id`"),
        ("`__proto__`", "__proto__"),
        ("a format string", "%s%n{}"),
        ("empty", ""),
        ("a pattern", "es*"),
        ("a known one in upper case", "ES256"),
        ("a known one with a space", "es256 "),
        ("a known one with a NUL", "es256\0"),
        ("control characters", "es256\r\nX-Injected: 1"),
        ("256 bytes long", long.as_str()),
    ] {
        let phrase = format!("`kid` is {what}");
        let token = setting.valid().header("kid", key_id);
        rows.push(Row::rejected(&setting.plain, phrase, "§2 CVE-2021-41106", token, "unknown_key"));
    }
    let null = SigningKey::from_secret(Algorithm::HS256, "../../dev/null", &[]);
    rows.push(Row::rejected(
        &setting.mixed,
        "`kid` is the path of an empty file, whose content is the secret of HS256",
        "§2 CVE-2021-41106",
        setting.valid().key(&null),
        "unknown_key",
    ));
    let name = SigningKey::from_secret(Algorithm::HS256, "keys/es256.pem", b"keys/es256.pem");
    rows.push(Row::rejected(
        &setting.mixed,
        "`kid` is a file name, and the name is the secret of HS256",
        "§2 CVE-2021-41106",
        setting.valid().key(&name),
        "unknown_key",
    ));
    rows.push(Row::rejected(
        &setting.plain,
        "`kid` is 257 bytes long",
        "§9 `kid` of 257 bytes",
        setting.valid().header("kid", "k".repeat(257)),
        "malformed_token",
    ));
    rows
}

fn tokens_without_key_id(setting: &Setting) -> Vec<Row> {
    let key = || SigningKey::generate(Algorithm::ES256, "");
    let keys = [key(), key()];
    let trusted = keys.each_ref().map(|key| key.verification_key().expect("a usable key"));
    let two = setting.engine_with_keys(trusted.clone());
    let tried = Issuer::new(setting.issuer.name()).try_all_keys();
    let tried = setting.engine(trusted.into_iter().fold(tried, Issuer::key));
    let [own, _] = &keys;
    let row = |engine, name, token: TokenBuilder, code| {
        Row::rejected(engine, name, "RFC 7515 App. D", token, code)
    };
    vec![
        row(
            &two,
            "no `kid`, and two keys fit",
            setting.valid().key(own).without_key_id(),
            "ambiguous_key",
        ),
        row(
            &tried,
            "no `kid`, and none of the keys that are tried has signed",
            setting.valid().key(&key()).without_key_id(),
            "signature_mismatch",
        ),
    ]
}

/// Both issuers name their keys alike: an id says nothing outside of its issuer.
fn keys_of_other_issuers(setting: &Setting) -> Vec<Row> {
    let foreign = setting.partner.key(Algorithm::ES256);
    let signed_by_partner = |token: TokenBuilder| token.key(foreign);
    let own = SigningKey::generate(Algorithm::ES256, "theirs");
    let partner_token = setting.partner.token().audience(crate::AUDIENCE);
    let row = |name, token, code| {
        Row::rejected(
            &setting.both,
            name,
            "§2 CVE-2026-49998, §7 keys bound to the issuer",
            token,
            code,
        )
    };
    vec![
        row(
            "the partner's key signed in the issuer's name, and both have a key of that id",
            signed_by_partner(setting.valid()),
            "signature_mismatch",
        ),
        row(
            "the issuer's key signed in the partner's name, and both have a key of that id",
            partner_token.clone().key(setting.issuer.key(Algorithm::ES256)),
            "signature_mismatch",
        ),
        row(
            "the partner's key signed in the issuer's name, without `kid`",
            signed_by_partner(setting.valid()).without_key_id(),
            "signature_mismatch",
        ),
        row(
            "a key that nobody trusts signed in the partner's name",
            partner_token.clone().key(&own),
            "unknown_key",
        ),
        Row::rejected(
            &setting.plain,
            "an issuer that is not trusted names a key id of the trusted one",
            "§3 CVE-2024-8901",
            partner_token,
            "untrusted_issuer",
        ),
        Row::rejected(
            &setting.plain,
            "an attacker signed in the issuer's name with a key id of the issuer",
            "§3 CVE-2022-29165",
            setting.attacker.token().audience(crate::AUDIENCE),
            "signature_mismatch",
        ),
    ]
}
