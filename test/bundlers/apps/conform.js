// What every app does: loads the models it is handed, scores their rows one by one and as a table, and answers with the bits.

const hex = (values) =>
  Array.from(values, (value) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    return view.getBigUint64(0).toString(16).padStart(16, '0');
  });

/** A table of the features of a model, as a program without `tableFromRecords` makes it. */
function tableOf({ features }, rows) {
  const columns = features.map(({ name, kind }) => {
    const cells = rows.map((row) => row[name]);
    const missing = Uint8Array.from(cells, (cell) => (cell === null ? 1 : 0));
    if (kind === 'numeric') return { name, kind, values: Float64Array.from(cells, (cell) => cell ?? 0), missing };
    const levels = [...new Set(cells.filter((cell) => cell !== null).map(String))];
    const codes = Uint32Array.from(cells, (cell) => (cell === null ? 0 : levels.indexOf(String(cell))));
    return { name, kind: 'coded', codes, levels, missing };
  });
  return { rows: rows.length, columns };
}

/** @param sets  name → { model: bytes in base64, rows } */
export function conform({ loadModel, engine, table = null }, sets) {
  const results = Object.entries(sets).map(([name, { model: base64, rows }]) => {
    const model = loadModel(Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)));
    const alone = rows.map((row) => model.score(row));
    const result = {
      records: {
        logits: hex(alone.map(({ logit }) => logit)),
        probabilities: hex(alone.map(({ probability }) => probability)),
        labels: alone.map(({ label }) => label),
      },
    };
    if (engine) {
      const { classes, schema } = model.manifest;
      const scores = model.scorer(engine).score(table ? table(rows) : tableOf(schema, rows));
      result.table = {
        logits: hex(scores.logits),
        probabilities: hex(scores.probabilities),
        labels: Array.from(scores.labels, (label) => classes[label]),
      };
    }
    return [name, result];
  });
  return { engine: engine?.name, why: engine?.why, sets: Object.fromEntries(results) };
}
