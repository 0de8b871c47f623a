//! Scores rows with logodds' kernels.wasm in Wasmtime and compares the bits; written from docs/ABI.md.
//!
//!     logodds-host kernels.wasm MODEL...   where MODEL.safetensors is a model, and MODEL.json its rows and their bits

mod model;

use serde_json::{Value, from_slice};
use std::{env, fs, iter::zip, path::Path, process::ExitCode};
use wasmtime::{Engine, Instance, Module, Result, Store, ensure, error::Context};

type Columns = (u32, u32, u32, u32, u32, u32, u32, u32, u32, u32);

/// Logit and probability of each row.
fn score(wasm: &str, model: &model::Model, rows: &[Value]) -> Result<Vec<(f64, f64)>> {
    let mut store = Store::new(&Engine::default(), ());
    let module = Module::new(store.engine(), fs::read(wasm)?)?;
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.get_memory(&mut store, "memory").context("module: expected a memory")?;
    let abi = instance.get_typed_func::<(), u32>(&mut store, "abiVersion")?.call(&mut store, ())?;
    ensure!(abi == 1, "{wasm}: expected ABI version 1, got {abi}; take the module of another release");
    let base = instance.get_typed_func::<(), u32>(&mut store, "heapBase")?.call(&mut store, ())? as usize;
    let logits = instance.get_typed_func::<Columns, ()>(&mut store, "logitsColumnsF64")?;
    let sigmoid = instance.get_typed_func::<(u32, u32, u32), ()>(&mut store, "sigmoidF64")?;

    let mut image = vec![0; base]; // of linear memory
    let mut place = |bytes: &[u8]| {
        let address = image.len().next_multiple_of(16);
        image.resize(address, 0);
        image.extend(bytes);
        address as u32
    };
    let (mut table, mut slots) = (Vec::new(), 0);
    for feature in model.manifest["schema"]["features"].as_array().context("model file: expected features")? {
        for column in model::columns(feature, rows)? {
            table.extend([place(&column.bytes), column.kind, slots, 0].map(u32::to_le_bytes));
            slots += column.slots;
        }
    }
    let (format, weights) = (&model.manifest["format"], model.weights.len() / 8);
    let fits = *format == 1 && weights == slots as usize;
    ensure!(fits, "expected format 1 and {slots} weights (slots of the schema), got {format} and {weights}");
    let (entries, w, b) = (place(table.as_flattened()), place(&model.weights), place(&model.intercept));
    let (n, plane) = (rows.len() as u32, rows.len().next_multiple_of(4));
    let (z, p) = (place(&vec![0; 8 * plane]), place(&vec![0; 8 * plane]));
    memory.grow(&mut store, image.len().div_ceil(65536) as u64)?;
    memory.write(&mut store, base, &image[base..])?;

    logits.call(&mut store, (entries, table.len() as u32 / 4, 0, n, w, slots, b, 1, z, plane as u32))?;
    let mut values = vec![0; 8 * rows.len()];
    memory.read(&store, z as usize, &mut values)?;
    let mut logits: Vec<f64> = values.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    if !model.manifest["offset"].is_null() {
        for (logit, offset) in zip(&mut logits, model::cells(&model.manifest["offset"], rows)?) {
            *logit += model::number(offset)?;
        }
        memory.write(
            &mut store,
            z as usize,
            logits.iter().map(|z| z.to_le_bytes()).collect::<Vec<_>>().as_flattened(),
        )?;
    }
    sigmoid.call(&mut store, (z, n, p))?;
    memory.read(&store, p as usize, &mut values)?;
    Ok(zip(logits, values.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes))).collect())
}

fn bits(value: f64) -> String {
    format!("{:016x}", value.to_bits())
}

/// The class of a row by its probability. NaN is above no threshold: it would pass as the negative class.
fn label(manifest: &Value, probability: f64) -> Result<&Value> {
    ensure!(!probability.is_nan(), "expected numbers whose logit is a number, got NaN; its terms overflow");
    let positive = &manifest["positive"];
    if probability > manifest["decision"]["threshold"].as_f64().context("no threshold")? {
        return Ok(positive);
    }
    let mut classes = manifest["classes"].as_array().context("no classes")?.iter();
    classes.find(|class| *class != positive).context("no class")
}

/// Compares the scores of the rows with what they must be, and returns the number of rows.
fn check(wasm: &str, name: &str) -> Result<usize> {
    let model = model::load(&format!("{name}.safetensors"))?;
    let cases: Value = from_slice(&fs::read(format!("{name}.json"))?)?;
    let rows = cases["rows"].as_array().context("rows: expected an array")?;
    for (i, (logit, probability)) in score(wasm, &model, rows)?.into_iter().enumerate() {
        let label = model::text(label(&model.manifest, probability)?);
        let got = [bits(logit), bits(probability), label].join(" ");
        let want = ["logits", "probabilities", "labels"].map(|field| model::text(&cases[field][i])).join(" ");
        ensure!(got == want, "row {i} (from 0): expected {want}, got {got}");
    }
    if let Some(refused) = cases["refused"].as_array() {
        for (row, (_, probability)) in zip(refused, score(wasm, &model, refused)?) {
            ensure!(label(&model.manifest, probability).is_err(), "expected a refusal of {row}, got {probability}");
        }
    }
    Ok(rows.len())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((wasm, models)) = arguments.split_first() else {
        eprintln!("usage: logodds-host kernels.wasm MODEL...");
        return ExitCode::from(2);
    };
    for model in models {
        let name = Path::new(model).file_name().unwrap_or_default().display();
        match check(wasm, model) {
            Ok(rows) => println!("{name}: {rows} rows, the same bits"),
            Err(error) => {
                eprintln!("{name}: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
