//! Messages as gRPC frames them: whatever their form, the check sees what the method would.

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::StreamBody;
use tonic::{
    Code::{self, Internal, InvalidArgument, Ok, OutOfRange, PermissionDenied, Unimplemented},
    Status,
    body::Body,
    codec::CompressionEncoding,
};
use tower::Service;

use crate::server::{
    DESCRIBE, HEALTH, LIST, SYSTEM_INFO, Temporal, bearer, code, message, temporal, token,
};

/// Sends bytes in these chunks, as they are, and tells the status and what encodings are accepted.
fn send(
    temporal: &Temporal,
    token: &str,
    encoding: Option<&str>,
    chunks: &[Bytes],
) -> (Code, String) {
    let mut request = http::Request::post(format!("http://{}{DESCRIBE}", temporal.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", bearer(token));
    if let Some(encoding) = encoding {
        request = request.header("grpc-encoding", encoding);
    }
    let frames: Vec<_> = chunks
        .iter()
        .map(|chunk| Result::<_, Status>::Ok(http_body::Frame::data(chunk.clone())))
        .collect();
    let body = Body::new(StreamBody::new(tokio_stream::iter(frames)));
    let mut channel = temporal.channel.clone();
    temporal.runtime.block_on(async {
        std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
        let response = channel.call(request.body(body).unwrap()).await.unwrap();
        let accepted = response.headers().get("grpc-accept-encoding").cloned();
        let accepted = accepted.map_or(String::new(), |value| value.to_str().unwrap().to_owned());
        let trailers = match Status::from_header_map(response.headers()) {
            Some(status) => return (status.code(), accepted),
            None => http_body_util::BodyExt::collect(response.into_body()).await.unwrap(),
        };
        let none = HeaderMap::new();
        let status = Status::from_header_map(trailers.trailers().unwrap_or(&none)).unwrap();
        (status.code(), accepted)
    })
}

fn frame(flag: u8, message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag][..], &length, message].concat().into()
}

#[test]
fn a_message_may_come_in_pieces() {
    let temporal = temporal();
    let token = token(&["default:read"]);
    for (namespace, expected) in [("default", Ok), ("other", PermissionDenied)] {
        let whole = frame(0, &message(1, namespace));
        let bytes: Vec<_> = whole.chunks(1).map(Bytes::copy_from_slice).collect();
        for chunks in [vec![whole.clone()], bytes] {
            assert_eq!(send(&temporal, &token, None, &chunks).0, expected);
        }
    }
}

#[test]
fn of_several_messages_the_first_counts_or_the_call_fails() {
    let temporal = temporal();
    let token = token(&["default:read"]);
    let [own, other] = ["default", "other"].map(|name| frame(0, &message(1, name)));
    assert_eq!(send(&temporal, &token, None, &[other.clone(), own.clone()]).0, PermissionDenied);
    let empty_first = [frame(0, b""), own.clone()];
    assert_eq!(send(&temporal, &token, None, &empty_first).0, PermissionDenied);
    // The method sees the one that was checked.
    assert_eq!(send(&temporal, &token, None, &[own, other]).0, Ok);
}

#[test]
fn a_frame_that_is_no_frame_is_rejected() {
    let temporal = temporal();
    let token = token(&["default:read", ":read"]);
    let own = message(1, "default");
    for (chunk, expected) in [
        (Bytes::new(), Internal),
        (Bytes::from_static(&[0, 0]), Internal),
        (frame(0, &own).slice(..9), Internal),
        (frame(2, &own), Internal),
        // Compressed, and nobody says how.
        (frame(1, &own), Internal),
        // Longer than any message may be.
        (Bytes::from_static(&[0, 0xff, 0xff, 0xff, 0xff, 1]), OutOfRange),
    ] {
        assert_eq!(
            send(&temporal, &token, None, std::slice::from_ref(&chunk)).0,
            expected,
            "{chunk:?}"
        );
    }
}

#[test]
fn a_compressed_message_is_checked_like_any_other() {
    let temporal = temporal();
    let token = bearer(&token(&["default:read"]));
    for (namespace, expected) in [("default", Ok), ("other", PermissionDenied)] {
        let metadata = [("authorization", &*token)];
        let gzip = Some(CompressionEncoding::Gzip);
        let result = temporal.call_with(DESCRIBE, &metadata, message(1, namespace), gzip);
        assert_eq!(code(&result), expected, "{namespace}");
    }
}

#[test]
fn another_compression_is_told_what_there_is() {
    let temporal = temporal();
    let token = token(&["default:read"]);
    for encoding in ["deflate", "zstd", "br"] {
        for flag in [0, 1] {
            let chunk = frame(flag, &message(1, "default"));
            let (code, accepted) = send(&temporal, &token, Some(encoding), &[chunk]);
            assert_eq!(code, Unimplemented, "{encoding}");
            assert!(accepted.split(',').any(|name| name.trim() == "gzip"), "{accepted}");
        }
    }
}

#[test]
fn what_unpacks_to_too_much_is_rejected() {
    let temporal = temporal();
    let token = bearer(&token(&["default:read"]));
    let metadata = [("authorization", &*token)];
    let zeros = Bytes::from(vec![0; 5 << 20]);
    let result = temporal.call_with(DESCRIBE, &metadata, zeros, Some(CompressionEncoding::Gzip));
    assert_eq!(code(&result), Code::ResourceExhausted);
}

#[test]
fn a_body_that_is_no_protobuf_is_an_invalid_argument() {
    let temporal = temporal();
    let (reader, admin) =
        (bearer(&token(&["default:read"])), bearer(&token(&["temporal-system:admin"])));
    for junk in [
        &b"not protobuf"[..],
        b"\xff",
        b"\x0a\x07defau",
        b"\x0a\x02\xff\xfe",
        b"\x0b",
        b"\0",
        b"\x0f\0",
        b"\x08",
        b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let junk = Bytes::copy_from_slice(junk);
        let call = |path, values: &[&str]| code(&temporal.call(path, values, junk.clone()));
        assert_eq!(call(DESCRIBE, &[&reader]), InvalidArgument, "{junk:?}");
        assert_eq!(call(DESCRIBE, &[&admin]), InvalidArgument, "{junk:?}");
        // Nobody's message is read.
        assert_eq!(call(DESCRIBE, &[]), PermissionDenied, "{junk:?}");
        assert_eq!(call(DESCRIBE, &["Bearer a.b.c"]), PermissionDenied, "{junk:?}");
    }
    let junk = Bytes::from_static(b"not protobuf");
    for (path, values, expected) in [
        (LIST, &[&*admin][..], InvalidArgument),
        (LIST, &[&*reader], PermissionDenied),
        (SYSTEM_INFO, &[], InvalidArgument),
        (HEALTH, &[], InvalidArgument),
    ] {
        assert_eq!(code(&temporal.call(path, values, junk.clone())), expected, "{path}");
    }
}
