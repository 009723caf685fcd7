//! Protobuf with a bound on what a message may become in memory.
//!
//! An empty entry of a list takes two bytes on the wire and some two hundred in memory, so a size
//! alone bounds little: 4 MiB could become half a gigabyte. Entries are counted before they are made.

use prost::Message;
use prost::bytes::{Buf, Bytes};
use prost::encoding::{DecodeContext, decode_key, skip_field};
use std::marker::PhantomData;
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstCodec;

/// Most fields of one message, entries of its lists included.
const MAX_ENTRIES: usize = 10_000;

/// The codec of the contract's services.
pub(crate) struct Bounded<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Bounded<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for Bounded<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = <ProstCodec<T, U> as Codec>::Encoder;
    type Decoder = Counting<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<T, U>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        Counting(PhantomData)
    }
}

/// Decodes messages of few enough entries.
pub(crate) struct Counting<U>(PhantomData<U>);

impl<U: Message + Default> Decoder for Counting<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buf.copy_to_bytes(buf.remaining());
        if !few(bytes.clone()).map_err(malformed)? {
            return Err(Status::out_of_range(format!("the message has more than {MAX_ENTRIES} entries")));
        }
        U::decode(bytes).map(Some).map_err(malformed)
    }
}

fn malformed(error: prost::DecodeError) -> Status {
    Status::internal(format!("the message is malformed: {error}"))
}

/// Whether a message has few enough fields.
fn few(mut bytes: Bytes) -> Result<bool, prost::DecodeError> {
    for _ in 0..MAX_ENTRIES {
        if !bytes.has_remaining() {
            return Ok(true);
        }
        let (tag, wire_type) = decode_key(&mut bytes)?;
        skip_field(wire_type, tag, &mut bytes, DecodeContext::default())?;
    }
    Ok(!bytes.has_remaining())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ObserveReply, Seen};

    #[test]
    fn entries_are_counted_before_they_are_made() {
        let reply = |count| ObserveReply { seen: vec![Seen::default(); count], fault: None };
        let bytes = |count| Bytes::from(reply(count).encode_to_vec());
        assert!(few(bytes(0)).unwrap() && few(bytes(500)).unwrap() && few(bytes(MAX_ENTRIES)).unwrap());
        assert!(!few(bytes(MAX_ENTRIES + 1)).unwrap());
        assert!(few(Bytes::from_static(b"\x0a\xff\xff")).is_err());
    }
}
