//! The one field of a message that is read.

use bytes::Buf;
use prost::{
    DecodeError,
    encoding::{DecodeContext, decode_key, skip_field, string},
};
use tonic::{
    Status,
    codec::{Codec, DecodeBuf, Decoder},
};
use tonic_prost::ProstEncoder;

/// Reads the namespace that a message names in this field, and no other; zero is no field.
///
/// The answer is a number in field 1, which is empty for zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NamespaceCodec(pub(crate) u32);

impl Codec for NamespaceCodec {
    type Encode = i32;
    type Decode = String;
    type Encoder = ProstEncoder<i32>;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Decoder for NamespaceCodec {
    type Item = String;
    type Error = Status;

    /// Reads a message to its end. Where the field is there twice the last one counts, as in every
    /// reader of Protocol Buffers.
    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let malformed = |error: DecodeError| Status::invalid_argument(error.to_string());
        let mut namespace = String::new();
        while message.has_remaining() {
            let (field, wire_type) = decode_key(message).map_err(malformed)?;
            let context = DecodeContext::default();
            let read = if field == self.0 {
                string::merge(wire_type, &mut namespace, message, context)
            } else {
                skip_field(wire_type, field, message, context)
            };
            read.map_err(malformed)?;
        }
        Ok(Some(namespace))
    }
}
