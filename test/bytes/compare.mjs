/** Compares scoring from bytes, in WebAssembly and in JavaScript, with its reference. */
import { isDeepStrictEqual } from 'node:util';
import { documentOf, linesOf, recordOf } from './reference.mjs';

const LOST = 0xffffffff;
const show = (bytes) => JSON.stringify(new TextDecoder('latin1').decode(bytes)).slice(0, 1500);

/** What a scorer does with an input: the scores of all calls as one, and the error that ended it. */
export function run(scorer, { bytes, as, cuts }) {
  const parts = [];
  try {
    if (as === 'json') parts.push(scorer.json(bytes));
    else {
      let from = 0;
      for (const to of [...cuts, bytes.length]) {
        parts.push(scorer[as](bytes.subarray(from, to)));
        from = to;
      }
      parts.push(scorer.end());
    }
  } catch (error) {
    if (!error.scores) throw error;
    return { parts: [...parts, error.scores], error };
  }
  return { parts, error: null };
}

/** The rows of parts, as plain values. */
function rowsOf(parts, classes, vectors) {
  return parts.flatMap((part) =>
    Array.from({ length: part.rows }, (_, i) => ({
      logits: Array.from({ length: vectors }, (_, k) => part.logits[k * part.rows + i]),
      probabilities: Array.from({ length: vectors }, (_, k) => part.probabilities[k * part.rows + i]),
      label: part.labels[i] === LOST ? null : classes[part.labels[i]],
      defaulted: part.defaulted[i],
      outOfRange: part.outOfRange[i],
      ...(part.review && { review: part.review[i] === 1 }),
    })),
  );
}

function same(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

const COLUMNS = ['logits', 'probabilities', 'labels', 'defaulted', 'outOfRange', 'review'];

/** Whether two engines gave the same for each call. */
const sameParts = (a, b) =>
  a.length === b.length &&
  a.every((part, i) => part.rows === b[i].rows && COLUMNS.every((name) => same(part[name] ?? [], b[i][name] ?? [])));

/** What differs between a row and its reference, or null. */
function differs(row, { score }, vectors) {
  if (!score) return row.label === null && row.probabilities.every(Number.isNaN) ? null : 'accepted';
  if (row.label === null) return 'refused';
  const logits = vectors === 1 ? [score.logit] : [...score.logits];
  const probabilities = vectors === 1 ? [score.probability] : [...score.probabilities];
  if (!same(row.logits, logits)) return `logits ${row.logits} for ${logits}`;
  if (!same(row.probabilities, probabilities)) return `probabilities ${row.probabilities} for ${probabilities}`;
  if (row.label !== score.label) return 'label';
  if (row.defaulted !== score.defaulted || row.outOfRange !== score.outOfRange) return 'shares';
  return (row.review ?? null) === (score.review ?? null) ? null : 'review';
}

/** What is wrong with the score or the refusal of an input as one record, or null. */
function wrongRecord(model, scorers, bytes) {
  const expected = recordOf(model, bytes);
  const errors = [];
  for (const scorer of scorers) {
    try {
      const score = scorer.record(bytes);
      if (!isDeepStrictEqual(score, expected.score)) return `record: ${JSON.stringify([score, expected])}`;
    } catch (error) {
      if (error.code !== expected.code) return `record: ${error.stack} for ${JSON.stringify(expected)}`;
      if (expected.message && error.message.replace('record 0 (from 0)', 'record') !== expected.message)
        return `record: "${error.message}" for "${expected.message}"`;
      if (!(error.row === 0 && error.offset >= 0 && error.offset <= bytes.length))
        return `record: byte ${error.offset}`;
      errors.push(`${error.message}, byte ${error.offset}`);
    }
  }
  return new Set(errors).size > 1 ? `the engines refuse a record differently: ${errors}` : null;
}

/** Of CSV the engines are compared with one another. @returns what is wrong, or null */
export function compare(model, scorers, input) {
  const vectors = model.intercept.length;
  const { classes } = model.manifest;
  const expected =
    input.as === 'csv' ? null : input.as === 'json' ? documentOf(model, input.bytes) : linesOf(model, input.bytes);
  const found = scorers.map((scorer) => run(scorer, input));
  const say = (what) => `${what}: ${input.as} ${input.cuts} ${show(input.bytes)}`;
  const [{ parts }] = found;
  const errors = found.map(({ parts, error }) => [...parts.flatMap((part) => part.errors), ...(error ? [error] : [])]);
  // the engines agree in everything
  for (const [i, other] of found.slice(1).entries()) {
    if (!sameParts(other.parts, parts))
      return say(
        `the engines differ, ${JSON.stringify([parts, other.parts].map((all) => rowsOf(all, classes, vectors)))}`,
      );
    const told = (list) =>
      JSON.stringify(
        list.map(({ code, message, row, offset, problems, detail }) => [code, message, row, offset, problems, detail]),
      );
    if (told(errors[i + 1]) !== told(errors[0]))
      return say(`the engines refuse differently: ${told(errors[0])} ${told(errors[i + 1])}`);
  }
  const wrong = input.as === 'json' ? wrongRecord(model, scorers, input.bytes) : null;
  if (wrong) return say(wrong);
  const [{ error }] = found;
  for (const { offset } of errors[0]) if (!(offset >= 0 && offset <= input.bytes.length)) return say(`byte ${offset}`);
  if (input.as === 'csv') return null;
  const rows = rowsOf(parts, classes, vectors);
  if (expected === null) return error ? null : say('an array that is no JSON was accepted');
  if (expected === 'some') return errors[0].length > 0 ? null : say('bytes that are no UTF-8 were accepted');
  const bad = expected.findIndex(({ score }) => !score);
  if (!input.collect || (error && input.as === 'json' && rows.length < expected.length)) {
    if ((error === null) !== bad < 0) return say(error ? `refused (${error.message})` : 'accepted');
    if (error && (error.row !== bad || error.code !== expected[bad].code))
      return say(`row ${error.row} ${error.code} for ${bad} ${expected[bad].code}`);
  } else if (error) return say(`thrown: ${error.message}`);
  const count = error ? bad : expected.length;
  if (rows.length !== count) return say(`${rows.length} rows for ${count}`);
  for (let i = 0; i < count; i++) {
    const difference = differs(rows[i], expected[i], vectors);
    if (difference) return say(`row ${i}: ${difference}`);
  }
  if (input.collect) {
    const refused = expected.flatMap(({ code, message }, i) => (code ? [{ i, code, message }] : []));
    if (errors[0].length !== refused.length) return say('errors');
    for (const [k, { i, code, message }] of refused.entries()) {
      const got = errors[0][k];
      if (got.row !== i || got.code !== code) return say(`error of row ${got.row} ${got.code} for ${i} ${code}`);
      if (message && got.message.replace(`record ${i} (from 0)`, 'record') !== message)
        return say(`"${got.message}" for "${message}"`);
    }
  }
  return null;
}
