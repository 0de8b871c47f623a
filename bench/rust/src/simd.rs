//! JSON lines with simd-json: each line becomes a tape, in memory that is used again, and the tape is walked.
use crate::model::{FIELDS, Keys, Model, NUMBERS, Seen, UNKNOWN};
use simd_json::prelude::*;
use simd_json::{Buffers, INPUT_PADDING, Tape, tape::Value};

pub struct Reader {
    original: Vec<u8>,
    /// a copy, with the padding that saves another; texts are unescaped in it
    bytes: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

impl Reader {
    pub fn new(original: &[u8]) -> Self {
        let bytes = [original, &[0; INPUT_PADDING]].concat();
        Reader { original: original.to_vec(), bytes, buffers: Buffers::new(1024), tape: Tape::null() }
    }

    /// Makes the bytes what they were.
    pub fn restore(&mut self) {
        self.bytes[..self.original.len()].copy_from_slice(&self.original);
    }

    pub fn walked(&mut self, model: &Model, keys: &mut Keys, out: &mut Vec<f64>) -> simd_json::Result<()> {
        let Reader { original, bytes, buffers, tape } = self;
        let mut at = 0;
        while at < original.len() {
            let length = memchr::memchr(b'\n', &bytes[at..]).expect("an end of the line");
            let mut read = std::mem::replace(tape, Tape::null()).reset();
            simd_json::fill_tape_padded(&mut bytes[at..at + length + INPUT_PADDING], length, buffers, &mut read)?;
            out.push(probability(read.as_value(), model, keys).expect("a record of twenty known fields"));
            *tape = read.reset();
            at += length + 1;
        }
        Ok(())
    }
}

/// Returns none where a field is missing, of another type, or has an unseen label.
#[inline]
fn probability(record: Value, model: &Model, keys: &mut Keys) -> Option<f64> {
    let mut terms = [0.0; FIELDS];
    let mut seen = Seen::default();
    for (place, (key, value)) in record.as_object()?.iter().enumerate() {
        let field = keys.field(place, key);
        seen.add(field);
        if field < NUMBERS {
            terms[field] = model.numbers[field] * value.cast_f64()?;
        } else if field < UNKNOWN {
            terms[field] = model.label(field, value.into_string()?)?;
        }
    }
    seen.all().then(|| model.probability(&terms))
}
