import { byteScorer } from 'logodds/bytes';
import { loadModel, pickEngine } from 'logodds/score';
import { bits, codeOf, enginesOf, modelOf } from './conform.js';

const encoder = new TextEncoder();
const linesOf = (rows) => encoder.encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const arrayOf = (rows) => encoder.encode(JSON.stringify(rows, null, 1));

/** As conform.js, from the bytes of the rows: records as JSON lines in two chunks, tables as an array. */
export default (sets) => {
  const engines = { auto: pickEngine(), js: pickEngine('js') };
  const answers = {};
  for (const { name, model: base64, rows, refused = [] } of sets.filter(({ ask }) => !ask)) {
    const model = modelOf(base64, loadModel);
    const { classes } = model.manifest;
    const put = (way, parts) => {
      const all = (key) => parts.flatMap((part) => Array.from(part[key]));
      answers[`${name}, ${way}`] = {
        logits: bits(Float64Array.from(all('logits'))),
        probabilities: bits(Float64Array.from(all('probabilities'))),
        labels: all('labels').map((label) => classes[label]),
      };
    };
    const own = byteScorer(model);
    const lines = linesOf(rows);
    put('record', [own.lines(lines.subarray(0, 100)), own.lines(lines.subarray(100)), own.end()]);
    const scorers = Object.entries(engines).map(([asked, engine]) => {
      const scorer = byteScorer(model, { engine });
      put(`${asked} f64`, [scorer.json(arrayOf(rows))]);
      return scorer;
    });
    if (refused.length > 0) {
      const inArrays = refused.flatMap((row) => scorers.map((one) => codeOf(() => one.json(arrayOf([rows[0], row])))));
      answers[`${name}, refused`] = {
        records: refused.map((row) => codeOf(() => own.json(linesOf([row])))),
        tables: [...new Set(inArrays)],
      };
    }
    for (const scorer of [own, ...scorers]) scorer.free();
  }
  return { engines: enginesOf(engines), answers };
};
