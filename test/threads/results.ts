import { createHash } from 'node:crypto';
import type { Batch } from '../../bindings/batch.ts';
import type { Engine } from '../../bindings/engine.ts';
import type { Precision } from '../../bindings/layout.ts';
import type { Likelihood } from '../../bindings/likelihood.ts';
import type { Vector } from '../../bindings/vector.ts';
import { numbers } from '../engine/engines.ts';

/** four blocks of a reduction and a piece of a fifth; not a multiple of any block or vector */
export const ROWS = 4 * 65536 + 4099;

export const LAYOUTS = ['rows', 'columns', 'sparse'] as const;

const made = new Map<string, Float64Array>();

/** `length` numbers in [0, 1), made once for all engines */
function uniform(name: string, length: number): Float64Array {
  const key = `${name} ${length}`;
  let values = made.get(key);
  if (!values) {
    const next = numbers(key.length);
    values = new Float64Array(length);
    for (let i = 0; i < length; i++) values[i] = (next() + 1) / 2;
    made.set(key, values);
  }
  return values;
}

/** `length` numbers in [-1, 1) */
const signed = (name: string, length: number) => uniform(name, length).map((value) => 2 * value - 1);

/** whole numbers from 0 to count − 1 */
const codes = (name: string, length: number, count: number) =>
  Uint32Array.from(uniform(name, length).map((value) => Math.floor(value * count)));

/** dense numbers; numbers with codes; entries with values and without */
function batchOf(engine: Engine, layout: (typeof LAYOUTS)[number], precision: Precision): Batch {
  if (layout === 'rows') {
    const batch = engine.rows(ROWS, 11, precision);
    batch.set(signed('dense', ROWS * 11));
    return batch;
  }
  if (layout === 'columns') {
    const specs = [0, 5, 300, 0].map((slots) =>
      slots ? ({ kind: 'coded', slots } as const) : ({ kind: 'numeric' } as const),
    );
    const batch = engine.columns(ROWS, specs, precision);
    batch.numeric(0).set(signed('first', ROWS));
    batch.codes(1).set(codes('second', ROWS, 5));
    batch.codes(2).set(codes('third', ROWS, 300));
    batch.numeric(3).set(signed('fourth one', ROWS));
    return batch;
  }
  const rowPtr = Uint32Array.from({ length: ROWS + 1 }, (_, i) => 5 * i);
  const colIdx = codes('columns of entries', 5 * ROWS, 40);
  const values = precision === 'f64' ? signed('values of them', 5 * ROWS) : null;
  return engine.sparse({ rowPtr, colIdx, values }, 40, precision);
}

/** Everything an engine computes for one layout, as its last figure and a digest of the bits. */
export function results(engine: Engine, layout: (typeof LAYOUTS)[number], precision: Precision) {
  const out: Record<string, string> = {};
  const record = (name: string, values: Float32Array | Float64Array) => {
    // there is no NaN among them, so equal bytes are equal figures
    const bytes = Uint8Array.from(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    out[name] = `${values.at(-1)} ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
  };
  const batch = batchOf(engine, layout, precision);

  const k = 3;
  const plane = Math.ceil(ROWS / 4) * 4;
  const weights = engine.weights(batch, k);
  for (let j = 0; j < k; j++) weights.set(j, signed(`weights ${j}`, batch.slots + 1 + j).subarray(j));
  const z = engine.vector(k * plane, precision);
  const p = engine.vector(k * plane, precision);
  // the values between the rows and the next plane may be anything
  const planes = ({ view }: Vector) => {
    const values = new Float64Array(k * ROWS);
    for (let j = 0; j < k; j++) values.set(view.subarray(j * plane, j * plane + ROWS), j * ROWS);
    return values;
  };
  engine.logits(batch, weights, z);
  record('logits', planes(z));
  for (const name of ['sigmoid', 'exp', 'softplus'] as const) {
    engine[name](z, p);
    record(name, planes(p));
  }
  engine.softmax(z, ROWS, k);
  record('softmax', planes(z));

  const sums = (name: string, likelihood: Likelihood) => {
    const point = signed('point', likelihood.parameters);
    const vector = new Float64Array(likelihood.parameters);
    record(`${name} loss`, Float64Array.of(likelihood.loss(point)));
    const reached = likelihood.at(point, vector);
    record(`${name} loss with gradient`, Float64Array.of(reached.loss));
    record(`${name} gradient`, vector);
    reached.hessianVector(signed('direction', likelihood.parameters), vector);
    record(`${name} Hessian times a vector`, vector);
    return { point, reached };
  };
  const y = codes('label', ROWS, 2);
  const weight = uniform('weight', ROWS);
  const offset = signed('offset', ROWS);
  const binomial = engine.likelihood(batch, { y, weight, offset });
  const { point, reached } = sums('binomial', binomial);
  const hessian = new Float64Array(binomial.parameters ** 2);
  reached.hessian(hessian);
  record('Hessian', hessian);
  const logits = new Float64Array(ROWS);
  binomial.logits(point, logits);
  record('logits of training', logits);
  binomial.free();
  const multinomial = engine.multinomial(batch, { y: codes('class', ROWS, 3), classes: 3, weight });
  sums('multinomial', multinomial);
  multinomial.free();

  for (const part of [batch, weights, z, p]) part.free();
  return out;
}
