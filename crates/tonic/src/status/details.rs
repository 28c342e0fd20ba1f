//! The details of a status: `google.rpc.Status` and what stands in it, written by hand.
//!
//! They are three small messages of strings and numbers, which never change ([google.rpc]); what
//! generates code for them would be the largest dependency of this crate.
//!
//! [google.rpc]: https://github.com/googleapis/googleapis/tree/master/google/rpc

use std::time::Duration;

use bytes::Bytes;
use tonic::Code;

/// The wire types of Protocol Buffers that are needed.
const VARINT: u64 = 0;
const LENGTH_DELIMITED: u64 = 2;

/// Encodes a `google.rpc.Status` with an `ErrorInfo` and, if a time is given, a `RetryInfo`.
///
/// `google.rpc.Status` is `{1: code, 2: message, 3: repeated Any details}`, `ErrorInfo` is
/// `{1: reason, 2: domain}`, and `RetryInfo` is `{1: Duration retry_delay}`.
pub(super) fn encode(
    code: Code,
    message: &str,
    reason: &str,
    domain: &str,
    retry_after: Option<Duration>,
) -> Bytes {
    let mut info = Message::default();
    info.text(1, reason);
    info.text(2, domain);

    let mut status = Message::default();
    // A code of gRPC is no negative number.
    status.number(1, u64::try_from(i32::from(code)).unwrap_or_default());
    status.text(2, message);
    status.message(3, &any("google.rpc.ErrorInfo", &info));
    if let Some(retry_after) = retry_after {
        status.message(3, &any("google.rpc.RetryInfo", &retry_info(retry_after)));
    }
    Bytes::from(status.bytes)
}

/// `google.protobuf.Duration` is `{1: seconds, 2: nanos}`.
fn retry_info(retry_after: Duration) -> Message {
    let mut duration = Message::default();
    duration.number(1, retry_after.as_secs());
    duration.number(2, retry_after.subsec_nanos().into());
    let mut info = Message::default();
    info.message(1, &duration);
    info
}

/// `google.protobuf.Any` is `{1: type_url, 2: value}`.
fn any(name: &str, value: &Message) -> Message {
    let mut any = Message::default();
    any.text(1, &format!("type.googleapis.com/{name}"));
    any.message(2, value);
    any
}

/// A message in the [encoding] of Protocol Buffers. Fields of the default value are left out.
///
/// [encoding]: https://protobuf.dev/programming-guides/encoding/
#[derive(Default)]
struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn number(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.varint(field << 3 | VARINT);
            self.varint(value);
        }
    }

    fn text(&mut self, field: u64, value: &str) {
        if !value.is_empty() {
            self.length_delimited(field, value.as_bytes());
        }
    }

    fn message(&mut self, field: u64, value: &Self) {
        self.length_delimited(field, &value.bytes);
    }

    fn length_delimited(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | LENGTH_DELIMITED);
        self.varint(u64::try_from(value.len()).unwrap_or(u64::MAX));
        self.bytes.extend_from_slice(value);
    }

    /// Seven bits in each byte, the lowest first; the top bit says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            let [low, ..] = value.to_le_bytes();
            self.bytes.push(low | 0x80);
            value >>= 7;
        }
        let [last, ..] = value.to_le_bytes();
        self.bytes.push(last);
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;

    #[test]
    fn another_parser_reads_every_field() {
        for (domain, delay) in [
            ("orders.example.com".to_owned(), Some(Duration::from_millis(5_250))),
            ("d".repeat(300), Some(Duration::from_secs(100_000))),
            ("d".repeat(20_000), None),
        ] {
            let details = encode(Code::Unavailable, "später", "KEYS_UNAVAILABLE", &domain, delay);
            let status = tonic::Status::with_details(Code::Unavailable, "", details.clone());
            let read = status.get_error_details();
            let info = read.error_info().unwrap();
            assert_eq!((&*info.reason, &info.domain), ("KEYS_UNAVAILABLE", &domain));
            assert!(info.metadata.is_empty());
            assert_eq!(read.retry_info().and_then(|info| info.retry_delay), delay);

            let read = <tonic_types::pb::Status as prost::Message>::decode(details).unwrap();
            assert_eq!((read.code, &*read.message), (14, "später"));
        }
    }
}
