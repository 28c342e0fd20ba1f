//! `inspect`: what a token says, and nothing about whether it is true.

mod document;

use std::fmt::Write;

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{
    Algorithm, NumericDate,
    explain::{date, printable, quoted, relative},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use self::document::Document;
use crate::{
    args::InspectArguments,
    failure::{Failure, Finding},
    input,
    output::{self, FAINT, Format, ODD, wrapped},
};

/// The longest token that servers take, as a rule.
const MAX_LEN: usize = 16 * 1024;

/// What stands in a token.
struct Inspected {
    header: Document,
    /// `None` where the payload is no JSON object.
    claims: Option<Document>,
    times: Vec<(&'static str, NumericDate)>,
    warnings: Vec<String>,
}

pub(crate) fn run(arguments: &InspectArguments, format: Format) -> Result<Finding, Failure> {
    let token = input::token(arguments.token.as_deref())?;
    let now = input::time(arguments.now);
    let inspected = match inspect(&token, now) {
        Ok(inspected) => inspected,
        Err(reason) if format.is_json() => {
            output::json_line(&json!({"verified": false, "error": reason}))?;
            return Ok(Finding::SomethingRejected);
        }
        Err(reason) => {
            output::text(&format!("{ODD}not a JWT{ODD:#}: {reason}\n"))?;
            return Ok(Finding::SomethingRejected);
        }
    };
    if format.is_json() {
        output::json_line(&View::new(&inspected, now))?;
    } else {
        output::text(&to_text(&inspected, now))?;
    }
    Ok(Finding::AllFine)
}

fn inspect(token: &str, now: NumericDate) -> Result<Inspected, String> {
    let parts: Vec<_> = token.splitn(6, '.').collect();
    let (header, payload, signature) = match parts.as_slice() {
        [header, payload, signature] => (*header, *payload, *signature),
        [_, _, _, _, _] => return Err("it has five parts: it is encrypted (JWE)".to_owned()),
        _ => return Err("it does not have three parts with dots between".to_owned()),
    };
    let mut warnings = Vec::new();
    let header = decode(header, "header", &mut warnings)?;
    let header: Document =
        serde_json::from_slice(&header).map_err(|_| "its header is no JSON object".to_owned())?;
    let payload = decode(payload, "payload", &mut warnings)?;
    let claims: Option<Document> = serde_json::from_slice(&payload).ok();
    if signature.is_empty() {
        warnings.push("there is no signature".to_owned());
    }
    if token.len() > MAX_LEN {
        warnings
            .push(format!("it has {} bytes; most servers take no more than 16 KiB", token.len()));
    }
    if claims.is_none() {
        warnings.push("the payload is no JSON object, so it has no claims".to_owned());
    }
    warn_of_header(&header, &mut warnings);
    for name in header.duplicates().into_iter().chain(claims.iter().flat_map(Document::duplicates))
    {
        warnings.push(format!("{} is there twice: it is rejected everywhere", quoted(name)));
    }
    let times = claims.as_ref().map(times).unwrap_or_default();
    if let Some(claims) = &claims {
        warn_of_claims(claims, &times, now, &mut warnings);
    }
    Ok(Inspected { header, claims, times, warnings })
}

/// Decodes base64url; what is nearly that is shown too, with a warning.
fn decode(part: &str, name: &str, warnings: &mut Vec<String>) -> Result<Vec<u8>, String> {
    if let Ok(bytes) = URL_SAFE_NO_PAD.decode_to_vec(part) {
        return Ok(bytes);
    }
    let plain = part.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let bytes = base64_simd::forgiving_decode_to_vec(plain.as_bytes());
    let bytes = bytes.map_err(|_| format!("its {name} is not base64url"))?;
    warnings.push(format!("the {name} is not in canonical base64url: it is rejected everywhere"));
    Ok(bytes)
}

fn warn_of_header(header: &Document, warnings: &mut Vec<String>) {
    match header.get("alg").and_then(Value::as_str) {
        None => warnings.push("the header names no algorithm (`alg`)".to_owned()),
        Some(alg) if alg.eq_ignore_ascii_case("none") => {
            warnings.push("algorithm `none`: it is not signed, and rejected everywhere".to_owned());
        }
        Some(alg) if alg.parse::<Algorithm>().is_err() => {
            warnings.push("the algorithm is not one that is supported here".to_owned());
        }
        Some(_) => {}
    }
    if header.get("crit").is_some() {
        warnings.push("it insists on extensions (`crit`); none is supported here".to_owned());
    }
    for name in ["jwk", "jku", "x5u", "x5c"].into_iter().filter(|name| header.get(name).is_some()) {
        warnings.push(format!("the header brings a key along (`{name}`), which is never trusted"));
    }
}

fn times(claims: &Document) -> Vec<(&'static str, NumericDate)> {
    let seconds = |name: &str| {
        let value = claims.get(name)?;
        let whole = value.as_i64();
        // A fraction is cut off: this is for reading, not for judging.
        whole.or_else(|| value.as_number()?.to_string().split('.').next()?.parse().ok())
    };
    ["iat", "nbf", "exp", "auth_time"]
        .into_iter()
        .filter_map(|name| Some((name, NumericDate::from_seconds(seconds(name)?))))
        .collect()
}

fn warn_of_claims(
    claims: &Document,
    times: &[(&'static str, NumericDate)],
    now: NumericDate,
    warnings: &mut Vec<String>,
) {
    for name in ["exp", "nbf", "iat"] {
        if claims.get(name).is_some_and(|value| !value.is_number()) {
            warnings.push(format!("`{name}` is not a number"));
        }
    }
    for (name, at) in times {
        match *name {
            "exp" if *at <= now => warnings.push(format!("it expired {}", relative(*at, now))),
            "nbf" if *at > now => warnings.push(format!("it is good only {}", relative(*at, now))),
            "iat" if *at > now => warnings.push("it was issued in the future".to_owned()),
            _ => {}
        }
    }
    for (name, what) in
        [("exp", "it never expires"), ("aud", "it is meant for nobody in particular")]
    {
        if claims.get(name).is_none() {
            warnings.push(format!("there is no `{name}`: {what}"));
        }
    }
    if claims.get("cnf").is_some() {
        warnings.push("it is bound to a key of its client (`cnf`)".to_owned());
    }
}

/// What is told as JSON, in this order.
#[derive(Serialize)]
struct View<'a> {
    verified: bool,
    header: &'a Document,
    claims: Option<&'a Document>,
    times: Map<String, Value>,
    warnings: &'a [String],
}

impl<'a> View<'a> {
    fn new(inspected: &'a Inspected, now: NumericDate) -> Self {
        let times = inspected.times.iter().map(|(name, at)| {
            ((*name).to_owned(), json!({"at": date(*at), "relative": relative(*at, now)}))
        });
        Self {
            verified: false,
            header: &inspected.header,
            claims: inspected.claims.as_ref(),
            times: times.collect(),
            warnings: &inspected.warnings,
        }
    }
}

fn to_text(inspected: &Inspected, now: NumericDate) -> String {
    let mut text = format!("{ODD}not verified{ODD:#}: anyone can have written this\n");
    push_object(&mut text, "header", &inspected.header);
    if let Some(claims) = &inspected.claims {
        push_object(&mut text, "claims", claims);
    }
    if !inspected.times.is_empty() {
        text.push_str("\ntimes\n");
    }
    for (name, at) in &inspected.times {
        let _ = writeln!(text, "  {name:<10}{}  {FAINT}{}{FAINT:#}", date(*at), relative(*at, now));
    }
    if !inspected.warnings.is_empty() {
        text.push_str("\nwarnings\n");
    }
    for warning in &inspected.warnings {
        let _ = writeln!(text, "  {ODD}!{ODD:#} {}", wrapped(&printable(warning), 4, 4));
    }
    text
}

fn push_object(text: &mut String, title: &str, object: &Document) {
    let _ = writeln!(text, "\n{title}");
    let pretty = serde_json::to_string_pretty(object).unwrap_or_default();
    for line in pretty.lines() {
        let _ = writeln!(text, "  {}", printable(line));
    }
}
