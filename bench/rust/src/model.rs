//! A logistic regression over ten numbers and ten labels with Platt's calibration, and the records it reads.
use rustc_hash::FxHashMap;
use serde::Deserialize;

pub const NUMBERS: usize = 10;
pub const TEXTS: usize = 10;
pub const FIELDS: usize = NUMBERS + TEXTS;

/// Fields in the order of the sum: numbers, then texts.
pub const NAMES: [&str; FIELDS] = [
    "number_0", "number_1", "number_2", "number_3", "number_4", "number_5", "number_6", "number_7", "number_8",
    "number_9", "text_0", "text_1", "text_2", "text_3", "text_4", "text_5", "text_6", "text_7", "text_8", "text_9",
];
/// Number of a key that is no field.
pub const UNKNOWN: usize = FIELDS;

/// p = 1/(1 + exp(−(a·z + b))),  z = intercept + Σ weightⱼ·numberⱼ + Σ weight of labelⱼ, in this order
#[derive(Deserialize)]
pub struct Model {
    pub intercept: f64,
    pub a: f64,
    pub b: f64,
    pub numbers: [f64; NUMBERS],
    pub labels: [FxHashMap<String, f64>; TEXTS],
}

impl Model {
    #[inline]
    pub fn label(&self, field: usize, label: &str) -> Option<f64> {
        self.labels[field - NUMBERS].get(label).copied()
    }

    /// From what each field adds to the sum.
    #[inline]
    pub fn probability(&self, terms: &[f64; FIELDS]) -> f64 {
        let z = terms.iter().fold(self.intercept, |sum, term| sum + term);
        1.0 / (1.0 + (-(self.a * z + self.b)).exp())
    }
}

/// Looks keys up, in the order of the record before at first.
pub struct Keys {
    /// field of the key at this place, when last seen
    order: [usize; FIELDS],
}

impl Keys {
    pub fn new() -> Self {
        Keys { order: std::array::from_fn(|field| field) }
    }

    /// Returns the field of the key at this place of a record, or UNKNOWN.
    #[inline]
    pub fn field(&mut self, place: usize, key: &str) -> usize {
        if place < FIELDS && NAMES[self.order[place]] == key {
            return self.order[place];
        }
        let field = find(key);
        if place < FIELDS && field != UNKNOWN {
            self.order[place] = field;
        }
        field
    }
}

fn find(key: &str) -> usize {
    let Some((kind, [digit @ b'0'..=b'9'])) = key.as_bytes().split_last_chunk::<1>() else {
        return UNKNOWN;
    };
    match kind {
        b"number_" => usize::from(digit - b'0'),
        b"text_" => NUMBERS + usize::from(digit - b'0'),
        _ => UNKNOWN,
    }
}

/// The fields that a record has had so far.
#[derive(Default)]
pub struct Seen(u32);

impl Seen {
    #[inline]
    pub fn add(&mut self, field: usize) {
        self.0 |= 1 << field;
    }

    #[inline]
    pub fn all(&self) -> bool {
        let every = (1 << FIELDS) - 1;
        self.0 & every == every
    }
}
