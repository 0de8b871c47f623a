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
 * @throws Failure
 */
export function examiner(library) {
  const { loadModel, LogoddsError, pickEngine } = library;
  const engine = pickEngine();

  return (bytes) => {
    let model;
    try {
      model = loadModel(bytes);
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

/** Rows as records and as a table: both ways give the same bits. */
function scoreAll(library, engine, model) {
  const { manifest } = model;
  const { features } = manifest.schema;
  // every value of a feature; the third row has what training has not seen, where the feature allows it
  const cells = features.map((feature) =>
    feature.kind === 'numeric'
      ? { ...feature, column: [1.5, null, -1e3] }
      : {
          ...feature,
          column: [feature.levels[0], null, feature.unseen === 'slot' ? 'constructor' : feature.levels.at(-1)],
        },
  );
  if (manifest.offset !== null) cells.push({ name: manifest.offset, kind: 'numeric', column: [0.25, -1, 0] });
  const columns = cells.map(({ name, kind, column }) => {
    const missing = Uint8Array.from(column, (value) => (value === null ? 1 : 0));
    return kind === 'numeric'
      ? { name, kind, values: Float64Array.from(column, (value) => value ?? Number.NaN), missing }
      : { name, kind: 'coded', codes: Uint8Array.of(0, 1, 2), levels: column.map(String), missing };
  });

  const scorer = model.scorer(engine, { capacity: 2 });
  let scores;
  try {
    scores = scorer.score({ rows: 3, columns });
  } finally {
    scorer.free();
  }
  const { logits, probabilities, labels } = scores;
  expect(engine.bytesInUse === 0, `${engine.bytesInUse} bytes of linear memory are lost`);

  for (let i = 0; i < 3; i++) {
    // own fields, "__proto__" among them, as JSON.parse makes them
    const record = Object.fromEntries(cells.map(({ name, column }) => [name, column[i]]));
    const alone = model.score(record);
    expect(
      manifest.classes[labels[i]] === alone.label,
      `row ${i}: label ${alone.label} alone, ${labels[i]} in a table`,
    );
    const each = alone.logits ? [alone.logits, alone.probabilities] : [[alone.logit], [alone.probability]];
    for (let k = 0; k < each[0].length; k++) {
      const [logit, probability] = each.map((values) => values[k]);
      const at = 3 * k + i;
      expect(Object.is(logit, logits[at]), `row ${i}: logit ${logit} alone, ${logits[at]} in a table`);
      expect(Object.is(probability, probabilities[at]), `row ${i}: probability ${probability}, ${probabilities[at]}`);
      // of several classes infinite logits have no probabilities
      const none = alone.logits ? !alone.logits.every(Number.isFinite) : Number.isNaN(logit);
      expect((probability >= 0 && probability <= 1) || none, `row ${i}: probability ${probability}`);
    }
  }
  // no field is there because every object has one of that name
  if (cells.length > 0) {
    const code = codeOf(library, () => model.score({}));
    expect(code === 'ERR_SCHEMA' || code === 'ERR_RECORD', `an empty record: ${code}`);
  }
}
