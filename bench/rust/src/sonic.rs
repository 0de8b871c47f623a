//! JSON lines with sonic-rs: UTF-8 is checked once, then each line is read.
use crate::model::{FIELDS, Keys, Model, NUMBERS, Seen, UNKNOWN};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::{borrow::Cow, fmt};

/// Calls `each` with the lines of a text.
fn lines<'a, E>(bytes: &'a [u8], mut each: impl FnMut(&'a str) -> Result<(), E>) -> Result<(), E> {
    let text = simdutf8::basic::from_utf8(bytes).expect("UTF-8");
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        each(&text[at..end])?;
        at = end + 1;
    }
    Ok(())
}

/// As an expert writes it: the reader hands each value to the sum, and nothing is built.
pub fn visited(bytes: &[u8], model: &Model, keys: &mut Keys, out: &mut Vec<f64>) -> sonic_rs::Result<()> {
    lines(bytes, |line| {
        let mut reader = sonic_rs::Deserializer::from_str(line);
        out.push(RecordSeed { model, keys }.deserialize(&mut reader)?);
        reader.end()
    })
}

struct RecordSeed<'m> {
    model: &'m Model,
    keys: &'m mut Keys,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = f64;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<f64, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = f64;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a record")
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<f64, A::Error> {
        let RecordSeed { model, keys } = self;
        let mut terms = [0.0; FIELDS];
        let mut seen = Seen::default();
        let mut place = 0;
        while let Some(field) = map.next_key_seed(KeySeed { keys, place })? {
            place += 1;
            seen.add(field);
            if field < NUMBERS {
                terms[field] = model.numbers[field] * map.next_value::<f64>()?;
            } else if field < UNKNOWN {
                terms[field] = map.next_value_seed(LabelSeed { model, field })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if seen.all() { Ok(model.probability(&terms)) } else { Err(A::Error::custom("a field is missing")) }
    }
}

struct KeySeed<'k> {
    keys: &'k mut Keys,
    place: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = usize;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<usize, D::Error> {
        reader.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = usize;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a key")
    }

    #[inline]
    fn visit_str<E: Error>(self, key: &str) -> Result<usize, E> {
        Ok(self.keys.field(self.place, key))
    }
}

struct LabelSeed<'m> {
    model: &'m Model,
    field: usize,
}

impl<'de> DeserializeSeed<'de> for LabelSeed<'_> {
    type Value = f64;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<f64, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for LabelSeed<'_> {
    type Value = f64;

    fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
        to.write_str("a text")
    }

    #[inline]
    fn visit_str<E: Error>(self, label: &str) -> Result<f64, E> {
        self.model.label(self.field, label).ok_or_else(|| E::custom("an unseen label"))
    }
}

/// As most write it: a struct for each line.
pub fn structs(bytes: &[u8], model: &Model, out: &mut Vec<f64>) -> sonic_rs::Result<()> {
    lines(bytes, |line| {
        let record: Record = sonic_rs::from_str(line)?;
        out.push(record.probability(model).ok_or_else(|| sonic_rs::Error::custom("an unseen label"))?);
        Ok(())
    })
}

#[derive(Deserialize)]
struct Record<'a> {
    number_0: f64,
    number_1: f64,
    number_2: f64,
    number_3: f64,
    number_4: f64,
    number_5: f64,
    number_6: f64,
    number_7: f64,
    number_8: f64,
    number_9: f64,
    #[serde(borrow)]
    text_0: Cow<'a, str>,
    #[serde(borrow)]
    text_1: Cow<'a, str>,
    #[serde(borrow)]
    text_2: Cow<'a, str>,
    #[serde(borrow)]
    text_3: Cow<'a, str>,
    #[serde(borrow)]
    text_4: Cow<'a, str>,
    #[serde(borrow)]
    text_5: Cow<'a, str>,
    #[serde(borrow)]
    text_6: Cow<'a, str>,
    #[serde(borrow)]
    text_7: Cow<'a, str>,
    #[serde(borrow)]
    text_8: Cow<'a, str>,
    #[serde(borrow)]
    text_9: Cow<'a, str>,
}

impl Record<'_> {
    /// Returns none for an unseen label.
    #[inline]
    fn probability(&self, model: &Model) -> Option<f64> {
        let numbers = [
            self.number_0, self.number_1, self.number_2, self.number_3, self.number_4, self.number_5, self.number_6,
            self.number_7, self.number_8, self.number_9,
        ];
        let texts = [
            &self.text_0, &self.text_1, &self.text_2, &self.text_3, &self.text_4, &self.text_5, &self.text_6,
            &self.text_7, &self.text_8, &self.text_9,
        ];
        let mut terms = [0.0; FIELDS];
        for (j, number) in numbers.iter().enumerate() {
            terms[j] = model.numbers[j] * number;
        }
        for (j, text) in (NUMBERS..).zip(texts) {
            terms[j] = model.label(j, text)?;
        }
        Some(model.probability(&terms))
    }
}
