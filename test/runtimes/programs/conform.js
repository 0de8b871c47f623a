/**
 * The conformance program: scores every row of every set in every way a caller can, and gives the bits back.
 * It runs unchanged on every runtime; the files beside it hand it the entry of the package that they import.
 *
 * @param loadModel  of the entry
 * @param engines  { asked: engine }
 * @param sets  [{ name, model: base64, rows: records }]; those with `ask` are for conformStages.js
 * @param precisions  those that the engines have
 * @param repeat  how often a table has the rows, in one batch: threads take part only when there is much to do
 * @returns { engines: { asked: { name, why } }, answers: { "set, way": { logits, probabilities: hexadecimal, labels } } }
 */
export function conform({ loadModel, engines, precisions = ['f64'], repeat = 1 }, sets) {
  const answers = {};
  for (const { name, model: base64, rows, refused = [] } of sets.filter(({ ask }) => !ask)) {
    const model = modelOf(base64, loadModel);
    const { classes } = model.manifest;

    const scores = rows.map((row) => model.score(row));
    answers[`${name}, record`] = {
      logits: bits(Float64Array.from(scores, (score) => score.logit)),
      probabilities: bits(Float64Array.from(scores, (score) => score.probability)),
      labels: scores.map((score) => score.label),
    };

    for (const precision of precisions) {
      const scored = precision === 'f32' ? narrow(rows) : rows;
      const table = tableOf(scored, repeat);
      // otherwise in parts that do not divide the rows
      const capacity = repeat > 1 ? table.rows : 100;
      for (const [asked, engine] of Object.entries(engines)) {
        const scorer = model.scorer(engine, { precision, capacity });
        const { logits, probabilities, labels } = scorer.score(table);
        for (const values of [logits, probabilities, labels]) mustRepeat(values, scored.length, name);
        answers[`${name}, ${asked} ${precision}`] = {
          logits: bits(logits.subarray(0, scored.length)),
          probabilities: bits(probabilities.subarray(0, scored.length)),
          labels: Array.from(labels.subarray(0, scored.length), (label) => classes[label]),
        };
        scorer.free();
      }
    }
    if (refused.length > 0) {
      const scorers = Object.values(engines).map((engine) => model.scorer(engine));
      const inTables = refused.flatMap((row) => scorers.map((one) => codeOf(() => one.score(tableOf([rows[0], row])))));
      answers[`${name}, refused`] = {
        records: refused.map((row) => codeOf(() => model.score(row))),
        // of every engine the same
        tables: [...new Set(inTables)],
      };
      for (const scorer of scorers) scorer.free();
    }
  }
  return { engines: enginesOf(engines), answers };
}

export const modelOf = (base64, loadModel) =>
  loadModel(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));

/** The code of the error that a call throws; null when it throws none. */
export function codeOf(call) {
  try {
    call();
    return null;
  } catch (error) {
    return error.code ?? error.message;
  }
}

/** What was asked for, and what came of it. */
export const enginesOf = (engines) =>
  Object.fromEntries(Object.entries(engines).map(([asked, { name, why }]) => [asked, { name, why }]));

/** The rows that a table in f32 takes: a number that f32 cannot hold is an error there. */
export const narrow = (rows) =>
  rows.filter((row) =>
    Object.values(row).every((cell) => typeof cell !== 'number' || Number.isFinite(Math.fround(cell))),
  );

/** A table of the records `repeat` times over; the fields are those of the first. */
export function tableOf(records, repeat = 1) {
  const rows = records.length * repeat;
  const tiled = (Numbers, values) => {
    const out = new Numbers(rows);
    for (let start = 0; start < rows; start += records.length) out.set(values, start);
    return out;
  };
  const columns = Object.keys(records[0]).map((name) => {
    const cells = records.map((record) => record[name]);
    const missing = tiled(
      Uint8Array,
      cells.map((cell) => (cell === null ? 1 : 0)),
    );
    if (cells.every((cell) => cell === null || typeof cell === 'number')) {
      const numbers = cells.map((cell) => cell ?? 0);
      return { name, kind: 'numeric', values: tiled(Float64Array, numbers), missing };
    }
    const texts = cells.map((cell) => (Array.isArray(cell) ? JSON.stringify(cell) : String(cell)));
    const levels = [...new Set(texts)];
    const codes = texts.map((text) => levels.indexOf(text));
    return { name, kind: 'coded', codes: tiled(Uint32Array, codes), levels, missing };
  });
  return { rows, columns };
}

/** the bits of each number in hexadecimal, most significant digit first */
export function bits(values) {
  const view = new DataView(new ArrayBuffer(8));
  const wide = values instanceof Float64Array;
  return Array.from(values, (value) => {
    if (!wide) {
      view.setFloat32(0, value);
      return view.getUint32(0).toString(16).padStart(8, '0');
    }
    view.setFloat64(0, value);
    return view.getBigUint64(0).toString(16).padStart(16, '0');
  });
}

/** @throws when the values are not those of the first `period` rows over and over */
function mustRepeat(values, period, name) {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const step = period * values.BYTES_PER_ELEMENT;
  for (let i = step; i < bytes.length; i++) {
    if (bytes[i] !== bytes[i - step]) {
      throw new Error(`${name}: row ${Math.floor(i / values.BYTES_PER_ELEMENT)} differs from the same row before it`);
    }
  }
}
