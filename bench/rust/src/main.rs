//! The Rust rivals of the benchmark: a child process of main.ts, one thread. The same lines of JSON as rivals.py:
//!   versions
//!   open      kind, numbers      reads the arrays of the case; the answer lists its rivals
//!   time      name, timeMs       repeats the work for so long; the answer is the median of one pass
//!   output    name               one pass; its probabilities go to output.bin
mod model;
mod simd;
mod sonic;

use model::{Keys, Model};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Instant;
use std::{fs, io};

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Request {
    Versions,
    Open { kind: String, model: Model, rows: usize },
    Time { name: String, time_ms: f64 },
    Output { name: String },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Versions(BTreeMap<&'static str, &'static str>),
    Opened { rivals: Vec<&'static str> },
    Timed { ms: f64 },
    Written { precision: &'static str },
    Refused { error: String },
}

/// A case: JSON lines, the model that scores them, and the rivals' memory, which is used again in each pass.
struct Case {
    bytes: Vec<u8>,
    model: Model,
    keys: Keys,
    simd: simd::Reader,
    probabilities: Vec<f64>,
}

type Pass = fn(&mut Case) -> Result<(), String>;

const RIVALS: [(&str, Pass); 3] = [
    ("Rust, sonic-rs", |case| {
        sonic::visited(&case.bytes, &case.model, &mut case.keys, &mut case.probabilities).map_err(|e| e.to_string())
    }),
    ("Rust, sonic-rs, a struct a line", |case| {
        sonic::structs(&case.bytes, &case.model, &mut case.probabilities).map_err(|e| e.to_string())
    }),
    ("Rust, simd-json", |case| {
        case.simd.walked(&case.model, &mut case.keys, &mut case.probabilities).map_err(|e| e.to_string())
    }),
];

impl Case {
    /// Does the work once. Returns its milliseconds.
    fn pass(&mut self, run: Pass) -> Result<f64, String> {
        self.simd.restore();
        self.probabilities.clear();
        let start = Instant::now();
        run(self)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }
}

fn rival(name: &str) -> Result<Pass, String> {
    let found = RIVALS.iter().find(|(other, _)| *other == name);
    found.map(|(_, run)| *run).ok_or_else(|| format!("no rival {name}"))
}

fn answer(request: Request, folder: &str, case: &mut Option<Case>) -> Result<Answer, String> {
    if let Request::Open { kind, model, rows } = request {
        let bytes = fs::read(format!("{folder}/{kind}.bin")).map_err(|e| e.to_string())?;
        let simd = simd::Reader::new(&bytes);
        *case = Some(Case { bytes, model, keys: Keys::new(), simd, probabilities: Vec::with_capacity(rows) });
        return Ok(Answer::Opened { rivals: RIVALS.map(|(name, _)| name).to_vec() });
    }
    let open = case.as_mut().ok_or("no case is open");
    match request {
        Request::Time { name, time_ms } => {
            let (case, run) = (open?, rival(&name)?);
            let mut passes = Vec::new();
            let begin = Instant::now();
            while passes.is_empty() || begin.elapsed().as_secs_f64() * 1e3 < time_ms {
                passes.push(case.pass(run)?);
            }
            passes.sort_by(f64::total_cmp);
            Ok(Answer::Timed { ms: passes[(passes.len() - 1) / 2] })
        }
        Request::Output { name } => {
            let case = open?;
            case.pass(rival(&name)?)?;
            let output: Vec<u8> = case.probabilities.iter().flat_map(|p| p.to_le_bytes()).collect();
            fs::write(format!("{folder}/output.bin"), output).map_err(|e| e.to_string())?;
            Ok(Answer::Written { precision: "f64" })
        }
        _ => Ok(Answer::Versions(BTreeMap::from(VERSIONS))),
    }
}

/// As in Cargo.toml, which names each exactly.
const VERSIONS: [(&str, &str); 2] = [("sonic-rs", "0.5.10"), ("simd-json", "0.19.0")];

fn main() -> io::Result<()> {
    let folder = std::env::args().nth(1).expect("the folder of the arrays");
    let mut case = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = sonic_rs::from_str(&line)
            .map_err(|e| e.to_string())
            .and_then(|request| answer(request, &folder, &mut case))
            .unwrap_or_else(|error| Answer::Refused { error });
        println!("{}", sonic_rs::to_string(&answer).expect("JSON"));
        io::stdout().flush()?;
    }
    Ok(())
}
