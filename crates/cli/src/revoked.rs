//! `revoked`: lists the entries of a store of revocations.

use std::fmt::Write as _;

use portcullis::{
    NumericDate,
    explain::{date, printable},
    revocation::Revocation,
};
use serde::Serialize;

use crate::{
    args::RevokedArguments,
    failure::{Failure, Finding},
    output::{self, FAINT, Format},
    store::{IfMissing, Store},
};

/// Reads and writes page by page, so that memory does not grow with the store.
pub(crate) fn run(arguments: &RevokedArguments, format: Format) -> Result<Finding, Failure> {
    let store = Store::open(&arguments.store, IfMissing::Fail)?;
    let mut position = None;
    loop {
        let page = store.call(|store| store.read(position.as_ref()))?;
        write(&page.entries, format)?;
        if !page.has_more {
            return Ok(Finding::AllFine);
        }
        position = Some(page.position);
    }
}

fn write(entries: &[Revocation], format: Format) -> Result<(), Failure> {
    for entry in entries.iter().map(Entry::of) {
        match format.is_json() {
            true => output::json_line(&entry)?,
            false => output::text(&entry.text())?,
        }
    }
    Ok(())
}

/// An entry, as the commands write it.
#[derive(Serialize)]
pub(crate) struct Entry<'r> {
    kind: &'static str,
    id: &'r str,
    issuer: &'r str,
    /// Of a subject or a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<i64>,
    /// `null`: for ever.
    until: Option<i64>,
}

impl<'r> Entry<'r> {
    pub(crate) fn of(revocation: &'r Revocation) -> Self {
        let Revocation { issuer, revoked, until, .. } = revocation;
        Self {
            kind: revoked.kind(),
            id: revoked.id(),
            issuer,
            before: revoked.issued_until().map(NumericDate::seconds),
            until: until.map(NumericDate::seconds),
        }
    }

    /// Returns the line for people.
    pub(crate) fn text(&self) -> String {
        let at = |seconds| date(NumericDate::from_seconds(seconds));
        let mut line = format!("{:<7}  {}", self.kind, printable(self.id));
        if let Some(before) = self.before {
            let _ = write!(line, "  issued until {}", at(before));
        }
        let until = self
            .until
            .map_or_else(|| "for ever".to_owned(), |until| format!("until {}", at(until)));
        let _ = writeln!(line, "  {FAINT}{} {until}{FAINT:#}", printable(self.issuer));
        line
    }
}
