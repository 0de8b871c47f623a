/**
 * The conformance program of the stages: scores, explains and asks what-if of every row of every set, and gives the bits back.
 *
 * @param loadModel  of the entry
 * @param engines  { asked: engine }
 * @param stages  `logodds/stages`
 * @param sets  as `conform` has them; those with `ask` are taken: { rows, refused: records, ask: { whatIf: columns, changes: { column: number },
 *   level of the intervals, k contributions of a row, and reasons } }
 * @returns { engines, answers: { "set, way": { part: numbers in hexadecimal, or texts } } }; class k of row i at k · rows + i
 */
import { bits, codeOf, enginesOf, modelOf, narrow, tableOf } from './conform.js';

/** What-if is asked of every so manyth row: each answer takes some thousand scores. */
const EVERY = 5;

export function conformStages({ loadModel, engines, stages }, sets) {
  const answers = {};
  for (const { name, model: base64, rows, refused, ask } of sets.filter((set) => set.ask)) {
    const model = modelOf(base64, (bytes) =>
      loadModel(bytes, { encoders: stages.encoders, outcomes: stages.outcomes, f32: stages.f32 }),
    );
    const put = (way, parts) => {
      answers[`${name}, ${way}`] = parts;
    };
    put('record', scoresOf(rows.map((row) => model.score(row))));
    for (const precision of ['f64', 'f32']) {
      const table = tableOf(precision === 'f32' ? narrow(rows) : rows);
      for (const [asked, engine] of Object.entries(engines)) {
        // where f32 would lose the logits every runtime refuses it
        const code = codeOf(() => model.scorer(engine, { precision }));
        const options = { precision, capacity: 10 };
        put(`${asked} ${precision}`, code ? { codes: [code] } : ofTable(model, engine, options, table));
      }
    }
    put('explained', explained(stages, model, rows, ask));
    put('top', top(stages, model, rows, ask));
    if (model.covariance) {
      put('intervals', flatIntervals(rows.map((row) => classIntervals(stages, model, row, ask.level))));
      const { low, high, stdError } = stages.interval(model, tableOf(rows), ask.level);
      put('table intervals', { low: bits(low), high: bits(high), stdError: bits(stdError) });
    }
    put('what-if', {
      answers: rows
        .filter((_, i) => i % EVERY === 0)
        .flatMap((row) => ask.whatIf.map((field) => changed(stages, model, row, field))),
    });
    put('refused', { codes: refused.map((row) => codeOf(() => model.score(row))) });
  }
  return { engines: enginesOf(engines), answers };
}

/** Lists of each row, class after class. */
const classAfterClass = (lists) => lists[0].flatMap((_, k) => lists.map((list) => list[k]));
const flatBits = (lists) => bits(Float64Array.from(classAfterClass(lists.map((list) => Array.from(list)))));

function scoresOf(scores) {
  return {
    logits: flatBits(scores.map(({ logit, logits = [logit] }) => logits)),
    probabilities: flatBits(scores.map(({ probability, probabilities = [probability] }) => probabilities)),
    labels: scores.map(({ label }) => label),
    defaulted: flatBits(scores.map(({ defaulted }) => [defaulted])),
    review: scores.map(({ review = null }) => review),
  };
}

function ofTable(model, engine, options, table) {
  const scorer = model.scorer(engine, options);
  const { logits, probabilities, labels, defaulted, review } = scorer.score(table);
  scorer.free();
  return {
    logits: bits(logits),
    probabilities: bits(probabilities),
    labels: Array.from(labels, (label) => model.manifest.classes[label]),
    defaulted: bits(defaulted),
    review: Array.from(labels, (_, i) => review && review[i] === 1),
  };
}

function explained({ explainer, oddsRatios, reasons }, model, rows, { changes, k, level }) {
  const { record } = explainer(model);
  const explanations = rows.map((row) => record(row));
  const ratios = oddsRatios(model, changes, level).map(({ oddsRatio, low, high }) => [oddsRatio, low ?? 0, high ?? 0]);
  return {
    logits: flatBits(explanations.map((classes) => classes.map(({ logit }) => logit))),
    base: bits(Float64Array.from(explanations[0], ({ base }) => base)),
    contributions: flatBits(
      explanations.map((classes) =>
        classes.flatMap(({ contributions }) => contributions.map((one) => one.contribution)),
      ),
    ),
    reasons: rows.map((row) =>
      reasons(model, row, { k })
        .map(({ feature, push, text }) => `${feature}: ${text}, ${one(push)}`)
        .join('; '),
    ),
    ratios: bits(Float64Array.from(ratios.flat())),
  };
}

function top({ explainer }, model, rows, { k }) {
  const { features, contributions } = explainer(model).table(tableOf(rows), k);
  return { features: Array.from(features), contributions: bits(contributions) };
}

/** The interval of each class: a record has that of its label, so each class is the label once. */
function classIntervals({ interval }, model, row, level) {
  const { manifest, encoder, weights, intercept, covariance, baseline, stages } = model;
  const parts = { manifest, encoder, weights, intercept, covariance, baseline, stages };
  return Array.from(intercept, (_, k) =>
    interval({ ...parts, score: () => ({ ...model.score(row), label: manifest.classes[k] }) }, row, level),
  );
}

function flatIntervals(rows) {
  const part = (name) => flatBits(rows.map((classes) => classes.map((interval) => interval[name])));
  return Object.fromEntries(['low', 'high', 'logitLow', 'logitHigh', 'stdError'].map((name) => [name, part(name)]));
}

/** What has to be otherwise in a field, and what the model says then. */
function changed({ whatIf }, model, row, field) {
  const { to, score, extrapolated } = whatIf(model, row, field);
  if (to === null) return null;
  return `${typeof to === 'number' ? one(to) : to}: ${score.label}, ${one(score.logit)}${extrapolated ? ', extrapolated' : ''}`;
}

const one = (value) => bits(Float64Array.of(value))[0];
