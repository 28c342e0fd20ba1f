//! UTF-8, JSON, and members that are there twice.

use super::form::{HEADER, MALFORMED, claims};
use crate::{Row, Setting, compact};

pub(super) fn rows(setting: &Setting) -> Vec<Row> {
    [text(setting), json_documents(setting), duplicates(setting)].concat()
}

fn text(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    for (what, bytes) in [
        ("a byte that is no UTF-8", &b"\xff"[..]),
        ("an overlong slash", b"\xc0\xaf"),
        ("a surrogate in UTF-8", b"\xed\xa0\x80"),
        ("half a character", b"\xe2\x98"),
        ("an escaped lone high surrogate", br"\ud83c"),
        ("an escaped lone low surrogate", br"\udf9f"),
        ("surrogates in the wrong order", br"\udf9f\ud83c"),
        ("a raw NUL", b"\0"),
        ("a raw newline", b"\n"),
        ("a raw control byte", b"\x1b"),
        ("an escape that JSON does not know", br"\x41"),
        ("half an escape", br"\u12"),
    ] {
        let member = [br#"{"x":""#, bytes, br#"","#].concat();
        let with_member = |document: &str| [&member, &document.as_bytes()[1..]].concat();
        let token = setting.valid().raw_claims(with_member(&claims(setting)));
        let phrase = format!("a claim holds {what}");
        rows.push(Row::rejected(&setting.plain, phrase, "§9 text", token, MALFORMED));
        let token = setting.valid().raw_header(with_member(HEADER));
        let phrase = format!("a header member holds {what}");
        rows.push(Row::rejected(&setting.plain, phrase, "§9 text", token, MALFORMED));
    }
    for (what, before, after) in [
        ("a byte-order mark before it", "\u{feff}", ""),
        ("a NUL behind it", "", "\0"),
        ("a second object behind it", "", "{}"),
        ("a comma behind it", "", ","),
        ("a comment behind it", "", "/* */"),
        ("a no-break space before it", "\u{a0}", ""),
        ("a form feed before it", "\u{c}", ""),
    ] {
        let token = setting.valid().raw_claims(format!("{before}{}{after}", claims(setting)));
        let phrase = format!("the payload is an object with {what}");
        rows.push(Row::rejected(&setting.plain, phrase, "§9 text", token, MALFORMED));
        let token = setting.valid().raw_header(format!("{before}{HEADER}{after}"));
        let phrase = format!("the header is an object with {what}");
        rows.push(Row::rejected(&setting.plain, phrase, "§9 text", token, MALFORMED));
    }
    let utf16: Vec<u8> = claims(setting).encode_utf16().flat_map(u16::to_le_bytes).collect();
    rows.push(Row::rejected(
        &setting.plain,
        "the payload is in UTF-16",
        "§9 text",
        setting.valid().raw_claims(utf16),
        MALFORMED,
    ));
    rows
}

fn json_documents(setting: &Setting) -> Vec<Row> {
    let mut rows = Vec::new();
    let in_list = format!("[{}]", claims(setting));
    let in_text = serde_json::Value::from(claims(setting)).to_string();
    for (what, document) in [
        ("a list with the object", in_list.as_str()),
        ("a text with the object", &in_text),
        ("a number", "1"),
        ("null", "null"),
        ("true", "true"),
        ("white space", "  "),
        ("a brace", "{"),
        ("single-quoted", "{'iss':'https://idp.test'}"),
        ("without quotes", "{iss:1}"),
        ("YAML", "iss: https://idp.test"),
        ("an object with a comma at its end", r#"{"iss":"https://idp.test",}"#),
        ("an object without colon", r#"{"iss" "https://idp.test"}"#),
        ("an object whose name is a number", r#"{1:"https://idp.test"}"#),
        ("an object that never ends", r#"{"iss":"https://idp.test""#),
    ] {
        let phrase = format!("the payload is {what}");
        let token = setting.valid().raw_claims(document);
        rows.push(Row::rejected(
            &setting.plain,
            phrase,
            "§9 payload not an object",
            token,
            MALFORMED,
        ));
        let phrase = format!("the header is {what}");
        let token = compact(document, claims(setting), [7; 64]);
        rows.push(Row::rejected(
            &setting.plain,
            phrase,
            "§9 header not an object",
            token,
            MALFORMED,
        ));
    }
    rows.push(Row::rejected(
        &setting.plain,
        "the payload is bytes at random",
        "§9 payload not an object",
        setting.valid().raw_claims([0x9c, 0x00, 0xff, 0x13, 0x37]),
        MALFORMED,
    ));
    rows
}

fn duplicates(setting: &Setting) -> Vec<Row> {
    let stands_for = "§9 duplicate members";
    let mut rows = Vec::new();
    let good = claims(setting);
    let mut last = |name: &str, members: &str| {
        let claims = format!("{},{members}}}", good.trim_end_matches('}'));
        let token = setting.valid().raw_claims(claims);
        rows.push(Row::rejected(&setting.plain, name, stands_for, token, MALFORMED));
    };
    last("`sub` is there twice", r#""sub":"admin""#);
    last("`sub` is there twice with one value", r#""sub":"alice""#);
    last("`iss` is there twice", r#""iss":"https://attacker.test""#);
    last("`aud` is there twice", r#""aud":"billing""#);
    last("`exp` is there twice", r#""exp":9999999999"#);
    last("`scope` is there twice", r#""scope":"admin""#);
    last("a claim that nobody reads is there twice", r#""x":1,"x":1"#);
    last("an empty name is there twice", r#""":1,"":2"#);
    last("`sub` is there twice, once with an escape", r#""s\u0075b":"admin""#);
    last("`sub` is there twice, once all in escapes", r#""\u0073\u0075\u0062":"admin""#);
    last("two names are one, each with another escape", r#""\u0078":1,"\u0058":2,"x":3"#);
    last("a member of `cnf` is there twice", r#""cnf":{"jkt":"a","jkt":"b"}"#);
    last(
        "a member of `cnf` is there twice, once with an escape",
        r#""cnf":{"jkt":"a","jk\u0074":"b"}"#,
    );
    last("`sub` of the actor is there twice", r#""act":{"sub":"bob","sub":"admin"}"#);
    last(
        "`sub` of an earlier actor is there twice",
        r#""act":{"sub":"b","act":{"sub":"c","sub":"d"}}"#,
    );
    last("`act` is there twice", r#""act":{"sub":"b"},"act":{"sub":"c"}"#);
    let many: Vec<_> = (0..1000).map(|number| format!(r#""c{number}":1"#)).collect();
    last("the first of a thousand claims comes again", &format!(r#"{},"c0":1"#, many.join(",")));
    for (name, header) in [
        ("`alg` is there twice", r#"{"alg":"ES256","kid":"es256","alg":"none"}"#),
        ("`alg` is there twice, `none` first", r#"{"alg":"none","kid":"es256","alg":"ES256"}"#),
        ("`kid` is there twice", r#"{"alg":"ES256","kid":"other","kid":"es256"}"#),
        ("`typ` is there twice", r#"{"alg":"ES256","kid":"es256","typ":"JWT","typ":"logout+jwt"}"#),
        (
            "`alg` is there twice, once with an escape",
            r#"{"alg":"ES256","kid":"es256","\u0061lg":"none"}"#,
        ),
    ] {
        let token = setting.valid().raw_header(header);
        rows.push(Row::rejected(&setting.plain, name, stands_for, token, MALFORMED));
    }
    rows
}
