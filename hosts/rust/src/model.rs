//! A model file, and the columns that its schema makes of records: docs/ABI.md, "From a model file to a score".

use serde_json::{Value, from_slice, from_str};
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fs};
use wasmtime::{Result, ensure, error::Context};

pub struct Model {
    pub manifest: Value,
    /// little-endian f64, as memory takes them
    pub weights: Vec<u8>,
    pub intercept: Vec<u8>,
}

pub struct Column {
    pub kind: u32,
    pub slots: u32,
    pub bytes: Vec<u8>,
}

pub fn load(path: &str) -> Result<Model> {
    let file = fs::read(path)?;
    let digest = Sha256::digest([&file[..35], &[b'0'; 64], &file[99..]].concat());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(
        digest.as_bytes() == &file[35..99],
        "{path}: expected the SHA-256 stored in it, got another one; copy it again"
    );
    let (header, data) = file[8..].split_at(u64::from_le_bytes(file[..8].try_into()?) as usize);
    let header: Value = from_slice(header)?;
    let at = |name: &str, i: usize| header[name]["data_offsets"][i].as_u64().unwrap_or(0) as usize;
    let tensor = |name| data[at(name, 0)..at(name, 1)].to_vec();
    let manifest: Value = from_str(header["__metadata__"]["logodds"].as_str().unwrap_or(""))?;
    let classes = manifest["classes"].as_array().map_or(0, Vec::len);
    ensure!(classes == 2, "{path}: expected a model of two classes, got {classes}; score it with the library");
    for field in ["/calibration", "/decision/costs", "/decision/abstain"] {
        let absent = manifest.pointer(field).is_none_or(Value::is_null);
        ensure!(absent, "{path}: expected a model without {field}, got one with it; score it with the library");
    }
    Ok(Model { manifest, weights: tensor("weights"), intercept: tensor("intercept") })
}

/// The cells of a field, one a row.
pub fn cells<'a>(name: &Value, rows: &'a [Value]) -> Result<Vec<&'a Value>> {
    let cells = rows.iter().map(|row| row.get(name.as_str()?)).collect::<Option<_>>();
    cells.with_context(|| format!("expected a field {name}, found none; use null for a missing value"))
}

pub fn number(value: &Value) -> Result<f64> {
    let finite = value.as_f64().filter(|number| number.is_finite());
    finite.with_context(|| format!("expected a finite number, got {value}"))
}

/// The text of a category: a number as ECMAScript writes it.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => ryu_js::Buffer::new().format(number.as_f64().unwrap_or(f64::NAN)).into(),
        other => other.to_string(),
    }
}

/// The columns of a feature, in order.
pub fn columns(feature: &Value, rows: &[Value]) -> Result<Vec<Column>> {
    let name = feature.get("column").unwrap_or(&feature["name"]);
    let kind = &feature["kind"];
    ensure!(
        kind == "numeric" || kind == "categorical",
        "feature {name}: expected numeric or categorical, got {kind}; score it with the library"
    );
    let cells = cells(name, rows)?;
    if kind == "numeric" {
        let numbers = cells.iter().map(|cell| number(if cell.is_null() { &feature["mean"] } else { cell }));
        let bytes = numbers.collect::<Result<Vec<_>>>()?.into_iter().flat_map(f64::to_le_bytes).collect();
        let flags = cells.iter().map(|cell| cell.is_null() as u8).collect();
        let both = [Column { kind: 1, slots: 1, bytes }, Column { kind: 2, slots: 2, bytes: flags }];
        return Ok(both.into_iter().take(if feature["indicator"] == true { 2 } else { 1 }).collect());
    }
    let levels = feature["levels"].as_array().context("model file: expected levels")?;
    let (missing, unseen) = (levels.len() as u32, levels.len() as u32 + 1);
    let count = |code: &u32| feature["counts"][*code as usize].as_f64().unwrap_or(0.0);
    // max_by gives the last of equal ones
    let mode = (0..missing).rev().max_by(|a, b| count(a).total_cmp(&count(b)));
    let mode = mode.unwrap_or(missing);
    let policy = |of: &str, slot| match feature[of].as_str() {
        Some("slot") => Some(slot),
        Some("mode") => Some(mode),
        Some("baseline") => Some(feature["reference"].as_u64().map_or(mode, |code| code as u32)),
        _ => None,
    };
    let (gap, other) = (policy("missing", missing), policy("unseen", unseen));
    let mut codes: HashMap<_, _> = levels.iter().map(text).zip(0..).collect();
    codes.extend(feature["rare"].as_array().into_iter().flatten().map(|level| (text(level), unseen)));
    let code = |cell: &&Value| {
        let code = if cell.is_null() { gap } else { codes.get(&text(cell)).copied().or(other) };
        code.with_context(|| format!("field {name}: expected a level seen in training, got {cell}"))
    };
    let values = cells.iter().map(code).collect::<Result<Vec<u32>>>()?;
    let (kind, width) = if unseen < 1 << 8 {
        (2, 1)
    } else if unseen < 1 << 16 {
        (3, 2)
    } else {
        (4, 4)
    };
    let bytes = values.into_iter().flat_map(|code| code.to_le_bytes().into_iter().take(width)).collect();
    Ok(vec![Column { kind, slots: unseen + 1, bytes }])
}
