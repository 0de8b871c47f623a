// From records to decisions that can be explained: will a flight be more than 15 minutes late, and should a passenger be warned?
//   node examples/decide.mjs [file]      file: where to write the model, for examples/worker/explained.mjs
// A schema says how columns are read, Platt's calibration makes the score a probability, the costs of mistakes make the threshold, and
// every decision comes with its reasons. Scoring is `logodds/score` with the stages it needs.
import { readFileSync, writeFileSync } from 'node:fs';
import { fit, saveModel } from '../dist/index.js';
import { loadModel } from '../dist/score.js';
import { allStages, explain, reasons, whatIf } from '../dist/stages.js';

const DATA = new URL('../node_modules/vega-datasets/data/flights-20k.json', import.meta.url);
const flights = JSON.parse(readFileSync(DATA, 'utf8')).map(({ delay, date, ...flight }) => ({
  ...flight,
  date: date.replaceAll('/', '-').replace(' ', 'T'),
  late: delay > 15 ? 'late' : 'on time',
}));

const schema = {
  features: [
    { name: 'hour', kind: 'numeric', column: 'date', part: 'hour', spline: 4, reason: 'it leaves at {value}' },
    { name: 'weekday', kind: 'date', column: 'date', parts: ['weekday'], reason: 'its day of the week' },
    { name: 'distance', kind: 'numeric', transform: 'log', low: 50, reason: 'it flies {value} miles' },
    { name: 'origin', kind: 'categorical', minCount: 50, reason: 'it starts in {value}' },
    { name: 'destination', kind: 'categorical', encoding: 'target', reason: 'it goes to {value}' },
  ],
};

/** Trains and decides; a missed warning costs four times a needless one. */
export function train() {
  const { model } = fit(flights, {
    target: 'late',
    positive: 'late',
    schema,
    calibrate: 'platt',
    decide: { by: 'cost', costs: { fp: 1, fn: 4 } },
    folding: { folds: 5, seed: 1 },
  });
  return saveModel(model);
}

/** What a service answers about one flight. */
export function answer(model, flight) {
  const { probability, label, defaulted } = model.score(flight);
  const { base, contributions } = explain(model, flight);
  const change = whatIf(model, flight, 'distance');
  return { probability, label, defaulted, base, contributions, reasons: reasons(model, flight, { k: 2 }), change };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const file = train();
  if (process.argv[2]) writeFileSync(process.argv[2], file);
  const model = loadModel(file, allStages);
  const { threshold } = model.manifest.decision;
  console.log(`warn when the probability of being late is above ${threshold.toFixed(3)}`);
  for (const flight of [
    { date: '2001-01-12T07:10', distance: 405, origin: 'ORD', destination: 'MCI' },
    { date: '2001-03-30T19:45', distance: 1846, origin: 'ORD', destination: 'SFO' },
    { date: null, distance: 239, origin: 'an airport nobody has seen', destination: 'LAX' },
  ]) {
    const { probability, label, defaulted, reasons: why } = answer(model, flight);
    console.log(
      `${JSON.stringify(flight)}\n  ${(100 * probability).toFixed(1)} %: ${label}; ${(100 * defaulted).toFixed(0)} % of its features by default`,
    );
    for (const { text, push } of why) console.log(`  ${text} (+${push.toFixed(2)})`);
  }
}
