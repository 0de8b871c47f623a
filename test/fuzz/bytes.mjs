/*
 * Scores mutated bytes on both engines and by the reference, and sees that they agree: what is accepted, what is refused, the bits.
 *
 *   node test/fuzz/run.mjs json|csv [--count 100000] [--seed 1] [--only INDEX]
 */
import { readFileSync } from 'node:fs';
import { pickEngine } from 'logodds';
import { byteScorer } from 'logodds/bytes';
import { loadModel } from 'logodds/score';
import { allStages } from 'logodds/stages';
import { compare } from '../bytes/compare.mjs';
import { csvOf, fieldsOf, inputOf, MODELS } from '../bytes/inputs.mjs';
import { progressOf } from './progress.mjs';

/** The models, each with scorers that live long, as a service has them. */
// traces take most of the time of a refusal
Error.stackTraceLimit = 0;

export const subjects = () =>
  MODELS.map((name) => {
    const bytes = readFileSync(new URL(`../${name}.safetensors`, import.meta.url));
    const model = loadModel(bytes, allStages);
    const scorers = (onError) => [
      byteScorer(model, { onError }),
      byteScorer(model, { onError, engine: pickEngine('js') }),
    ];
    return { name, model, fields: fieldsOf(model), throwing: scorers('throw'), collecting: scorers('collect') };
  });

const INPUTS = { json: inputOf, csv: csvOf };

/** Reports whether all inputs agree. */
export function fuzzBytes(format, { count, seed, only }) {
  if (!(format in INPUTS)) throw new Error(`expected json or csv, got ${format}`);
  const all = subjects();
  let accepted = 0;
  let refused = 0;
  const failures = [];
  const [from, to] = only === null ? [0, count] : [only, only + 1];
  const progress = progressOf(from, to);
  for (let index = from; index < to && failures.length < 10; index++) {
    const subject = all[index % all.length];
    const input = INPUTS[format](subject.fields, seed, index);
    let wrong;
    try {
      wrong = compare(subject.model, input.collect ? subject.collecting : subject.throwing, input);
    } catch (error) {
      wrong = `${error.stack}: ${JSON.stringify(new TextDecoder('latin1').decode(input.bytes))}`;
    }
    if (wrong) failures.push(`input ${index} (${subject.name}): ${wrong}`);
    else if (input.damaged) refused++;
    else accepted++;
    progress(index);
  }
  for (const failure of failures) console.log(`FAILED  ${failure}`);
  console.log(
    `${format}: ${accepted + refused} inputs agree (${refused} of them damaged), ${failures.length} do not; seed ${seed}`,
  );
  return failures.length === 0;
}
