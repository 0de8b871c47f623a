/*
 * What a model file may do to a program that loads it: be refused with a sentence, or give a model that scores.
 */

/** Any other way to end. */
export class Failure extends Error {}

const expect = (valid, what) => {
  if (!valid) throw new Failure(what);
};

/** The code of what `run` throws. */
function codeOf({ LogoddsError }, run) {
  try {
    run();
    return null;
  } catch (error) {
    expect(error instanceof LogoddsError, `${error?.name}: ${error?.message}`);
    return error.code;
  }
}

/**
 * A function of the bytes of a file that says how it ends: "loaded", or what was refused, numbers and names left out.
 * @param library  `logodds/score`
 * @param stages  of `logodds/stages`
 * @throws Failure
 */
export function examiner(library, stages) {
  const { loadModel, LogoddsError, pickEngine } = library;
  const engine = pickEngine();

  return (bytes) => {
    let model;
    try {
      model = loadModel(bytes, stages);
    } catch (error) {
      expect(error instanceof LogoddsError, `loadModel: ${error?.name}: ${error?.message}`);
      expect(error.code === 'ERR_FORMAT', `loadModel: ${error.code} ${error.message}`);
      expect(error.message.length < 1000, `loadModel: a message of ${error.message.length} characters`);
      return error.message
        .replace(/^model file: expected /, '')
        .replace(/[;,] (got|and|install|train).*/s, '')
        .replaceAll(/"(?:[^"\\]|\\.)*"/g, '"…"')
        .replaceAll(/\d+/g, '#');
    }
    scoreAll(library, engine, model);
    return 'loaded';
  };
}

/** Three rows as records and as a table: both ways give the same bits, or refuse the same rows. */
function scoreAll(library, engine, model) {
  const { manifest } = model;
  const columns = columnsOf(manifest);
  const scorer = model.scorer(engine, { capacity: 2 });
  // own fields, "__proto__" among them, as JSON.parse makes them
  const records = [0, 1, 2].map((i) => Object.fromEntries(columns.map(({ name, cells }) => [name, cells[i]])));
  try {
    const refused = records.map((record, i) => {
      const code = codeOf(library, () => model.score(record));
      const inTable = codeOf(library, () => scorer.score(tableOf(columns, [i])));
      expect(code === inTable, `row ${i}: ${code} alone, ${inTable} in a table`);
      expect(code === null || code === 'ERR_RECORD', `row ${i}: ${code}`);
      return code !== null;
    });
    const rows = [0, 1, 2].filter((i) => !refused[i]);
    const { logits, probabilities, labels, defaulted } = scorer.score(tableOf(columns, rows));
    rows.forEach((i, row) => {
      const alone = model.score(records[i]);
      expect(manifest.classes[labels[row]] === alone.label, `row ${i}: label ${alone.label} alone, ${labels[row]} not`);
      expect(defaulted[row] === alone.defaulted, `row ${i}: defaulted ${alone.defaulted} alone, ${defaulted[row]} not`);
      const each = alone.logits ? [alone.logits, alone.probabilities] : [[alone.logit], [alone.probability]];
      for (let k = 0; k < each[0].length; k++) {
        const [logit, probability] = each.map((values) => values[k]);
        const at = rows.length * k + row;
        expect(Object.is(logit, logits[at]), `row ${i}: logit ${logit} alone, ${logits[at]} in a table`);
        expect(Object.is(probability, probabilities[at]), `row ${i}: probability ${probability}, ${probabilities[at]}`);
        // of several classes infinite logits have no probabilities
        const none = alone.logits ? !alone.logits.every(Number.isFinite) : Number.isNaN(logit);
        expect((probability >= 0 && probability <= 1) || none, `row ${i}: probability ${probability}`);
      }
    });
  } finally {
    scorer.free();
  }
  expect(engine.bytesInUse === 0, `${engine.bytesInUse} bytes of linear memory are lost`);
  // no field is there because every object has one of that name
  if (columns.length > 0) {
    const code = codeOf(library, () => model.score({}));
    expect(code === 'ERR_SCHEMA', `an empty record: ${code}`);
  }
}

/** What each kind of feature reads, where it reads no part of a date. */
const READS = {
  ...{ numeric: 'number', curve: 'number', binned: 'number' },
  ...{ categorical: 'text', date: 'text', target: 'text', hashed: 'text', cross: 'text', tokens: 'text' },
};

/** The columns a model reads, with three cells each: of training, missing, and what training has not seen. */
function columnsOf({ schema, offset }) {
  const readers = new Map();
  for (const feature of schema.features) {
    if (feature.of) continue;
    const name = feature.column ?? feature.name;
    readers.set(name, [...(readers.get(name) ?? []), feature]);
  }
  const columns = Array.from(readers, ([name, features]) => {
    const date = features.some(({ part }) => part);
    for (const { kind } of features) expect(Object.hasOwn(READS, kind), `no cells for features of kind ${kind}`);
    const number = !date && features.some(({ kind }) => READS[kind] === 'number');
    const [{ levels = ['a', 'b'] }] = features;
    if (number) return { name, kind: 'numeric', cells: [1.5, null, -1e3] };
    return {
      name,
      kind: 'coded',
      cells: date ? ['2001-02-03', null, '1901-12-31T23:59'] : [levels[0], null, 'constructor'],
    };
  });
  return offset === null ? columns : [...columns, { name: offset, kind: 'numeric', cells: [0.25, -1, 0] }];
}

/** These rows of them. */
const tableOf = (columns, rows) => ({
  rows: rows.length,
  columns: columns.map(({ name, kind, cells }) => {
    const own = rows.map((i) => cells[i]);
    const missing = Uint8Array.from(own, (cell) => (cell === null ? 1 : 0));
    return kind === 'numeric'
      ? { name, kind, values: Float64Array.from(own, (cell) => cell ?? Number.NaN), missing }
      : { name, kind, codes: Uint8Array.from(rows.keys()), levels: own.map(String), missing };
  }),
});
