import { describe, expect, it } from 'vitest';
import { type Engine, pickEngine } from '../../bindings/engine.ts';
import type { Likelihood } from '../../bindings/likelihood.ts';
import { CheckedTable } from '../../src/encode/checkedTable.ts';
import { asCoded } from '../../src/encode/columns.ts';
import { type Moments, momentsOf, type Tallied } from '../../src/encode/infer.ts';
import { sliceTable } from '../../src/encode/split.ts';
import type { Column, NumericColumn, Table } from '../../src/encode/table.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { fit, fitProblem } from '../../src/train/fit.ts';
import { codingOf, type FitOptions, readOptions } from '../../src/train/fitOptions.ts';
import { cellsOf } from '../../src/train/problem/chunks.ts';
import { trainingEncoder } from '../../src/train/problem/problem.ts';
import { readTarget, readWeight } from '../../src/train/problem/target.ts';
import { RemoteProblem } from '../../src/train/remote/problem.ts';
import type {
  PartStatistics,
  Remote,
  RemoteAnswer,
  RemoteColumn,
  RemoteQuestion,
} from '../../src/train/remote/remote.ts';

const ROWS = 1200;

function data(rows = ROWS): Table {
  const next = splitmix32(5);
  const numbers = (name: string, of: (i: number) => number, gaps = 0): Column => ({
    name,
    kind: 'numeric',
    values: Float64Array.from({ length: rows }, (_, i) => of(i)),
    missing: gaps > 0 ? Uint8Array.from({ length: rows }, () => Number(next() < gaps)) : null,
  });
  const levels = (name: string, labels: string[], of: () => number): Column => ({
    name,
    kind: 'coded',
    codes: Uint8Array.from({ length: rows }, of),
    levels: labels,
    missing: null,
  });
  return {
    rows,
    columns: [
      numbers('x', () => 30 + 9 * next(), 0.1),
      numbers('z', () => next() - 0.5),
      numbers('twice', () => 4),
      levels('c', ['b', 'a', 'ü'], () => Math.floor(3 * next() ** 2)),
      numbers('w', () => Math.floor(4 * next())),
      numbers('o', () => next()),
      levels('y', ['no', 'yes'], () => Number(next() > 0.6)),
      levels('k', ['q', 'r', 's'], () => Math.floor(3 * next())),
    ],
  };
}

/** Rows in parts, each with a likelihood of its own: what executors do, in this process. */
class Parts implements Remote {
  readonly #engine: Engine;
  readonly #parts: readonly Table[];
  readonly #options: FitOptions;
  #batches: ReturnType<Engine['columns']>[] = [];
  #factors: readonly number[] = [];
  #classes: readonly string[] = [];
  questions = 0;

  constructor(engine: Engine, table: Table, cuts: readonly number[], options: FitOptions) {
    this.#engine = engine;
    this.#parts = [0, ...cuts].map((from, i) => sliceTable(table, from, [...cuts, table.rows][i]));
    this.#options = options;
  }

  statistics(features: readonly string[]): PartStatistics[] {
    return this.#parts.map((part): PartStatistics => {
      const weight = this.#weight(part);
      const named = (name: string) => part.columns.find((column) => column.name === name)!;
      const target = asCoded(named(this.#options.target), part.rows, 0);
      const label = (i: number) => target.levels[target.codes[i]];
      const rows = Array.from({ length: part.rows }, (_, i) => i);
      return {
        rows: part.rows,
        target: target.levels
          .map((level) => {
            const own = rows.filter((i) => label(i) === level);
            const s = own.map((i) => weight?.[i] ?? 1);
            return [
              level,
              own.length,
              s.filter((one) => one > 0).length,
              s.reduce((sum, one) => sum + one, 0),
            ] as const;
          })
          .filter(([, count]) => count > 0),
        features: features.map((name) => [name, factsOf(named(name), part.rows, weight)]),
        ...(weight && { weights: { least: Math.min(...weight), greatest: Math.max(...weight) } }),
      };
    });
  }

  #weight(part: Table): Float64Array | null {
    const { weight } = this.#options;
    return weight === undefined || part.rows === 0 ? null : readWeight(CheckedTable.of(part), weight);
  }

  ask(question: RemoteQuestion, values: readonly Float64Array[] = []): RemoteAnswer {
    this.questions++;
    if (question.op === 'encode') return { facts: null, values: this.#encode(question) };
    if (question.op === 'sample') return this.#sample();
    const { of, classes, columns } = question as unknown as { of: number | null; classes: number; columns: number[] };
    const sums: Float64Array[] = [];
    this.#parts.forEach((part, p) => {
      if (part.rows === 0) return;
      const batch = this.#batches[p];
      const { y, weight, offset } = this.#vectors(part, of);
      const whole =
        of === null
          ? this.#engine.multinomial(batch, { y, classes, weight })
          : this.#engine.likelihood(batch, { y, weight, offset });
      const slots = columns.flatMap((j) => {
        const spec = batch.specs[j];
        return Array.from({ length: spec.kind === 'numeric' ? 1 : spec.slots }, (_, k) => batch.offsets[j] + k);
      });
      const some = columns.length < batch.specs.length ? whole.select(Int32Array.from(slots)).likelihood : whole;
      sums.push(sumOf(some, question, values));
      if (some !== whole) some.free();
      whole.free();
    });
    return { facts: null, values: sums.reduce((total, one) => total.map((sum, i) => sum + one[i])) };
  }

  #vectors(part: Table, of: number | null) {
    const labels = readLabels(part, this.#options.target);
    const codes = Float64Array.from(labels, (label) => this.#classes.indexOf(label));
    const sample = this.#weight(part);
    const weight = codes.map((code, i) => (sample?.[i] ?? 1) * this.#factors[code]);
    const shift = part.columns.find(({ name }) => name === this.#options.offset) as NumericColumn | undefined;
    const offset = shift ? new Float64Array(shift.values) : null;
    return { y: of === null ? codes : codes.map((code) => Number(code === of)), weight, sample, offset, codes };
  }

  #encode({ columns, classes, factors, slots }: RemoteQuestion): Float64Array {
    this.#classes = classes as string[];
    this.#factors = factors as number[];
    const features = (columns as RemoteColumn[]).map((column) =>
      column.kind === 'numeric'
        ? { ...column, min: 0, max: 0 }
        : { ...column, counts: [], coding: 'onehot', reference: null, missing: 'slot', unseen: 'slot' },
    );
    const encoder = trainingEncoder({ features } as never);
    const count = slots as number;
    const out = new Float64Array((3 + 2 * this.#classes.length) * count);
    const plane = (at: number) => out.subarray(at * count, (at + 1) * count);
    encoder.specs.forEach((spec, j) => {
      if (spec.kind !== 'numeric') return;
      const slot = slotOf(encoder.specs, j);
      this.#classes.forEach((_, k) => {
        plane(3 + 2 * k)[slot] = Number.POSITIVE_INFINITY;
        plane(4 + 2 * k)[slot] = Number.NEGATIVE_INFINITY;
      });
    });
    this.#batches = this.#parts.map((part) => {
      const batch = this.#engine.columns(part.rows, encoder.specs, 'f64');
      if (part.rows === 0) return batch;
      encoder.encode(part, batch, { standardize: true });
      const { codes, weight, sample } = this.#vectors(part, null);
      encoder.specs.forEach((spec, j) => {
        const first = slotOf(encoder.specs, j);
        cellsOf(batch, j).forEach((cell: number, i: number) => {
          const at = spec.kind === 'numeric' ? first : first + cell;
          const x = spec.kind === 'numeric' ? cell : 1;
          plane(0)[at] += weight[i] * x;
          plane(1)[at] += weight[i] * x * x;
          plane(2)[at] += (sample?.[i] ?? 1) * x;
          const [low, high] = [plane(3 + 2 * codes[i]), plane(4 + 2 * codes[i])];
          if (spec.kind !== 'numeric') low[at] += weight[i];
          else if (weight[i] > 0) {
            low[at] = Math.min(low[at], x);
            high[at] = Math.max(high[at], x);
          }
        });
      });
      return batch;
    });
    return out;
  }

  /** every row is a sample, too */
  #sample(): RemoteAnswer {
    const planes = [...this.#batches[0].specs.keys(), 'y', 'w', 'o'] as const;
    const rows = this.#parts.reduce((sum, part) => sum + part.rows, 0);
    const values = planes.flatMap((at) =>
      this.#parts.flatMap((part, p) => {
        const { codes, weight, offset } = this.#vectors(part, null);
        const cells =
          typeof at === 'number'
            ? cellsOf(this.#batches[p], at)
            : at === 'y'
              ? codes
              : at === 'w'
                ? weight
                : (offset ?? codes);
        return part.rows === 0 ? [] : [...cells];
      }),
    );
    const shifted = this.#options.offset !== undefined;
    return { facts: { rows, weighted: true, shifted }, values: Float64Array.from(values) };
  }
}

const slotOf = (specs: readonly { readonly kind: string }[], j: number): number =>
  specs.slice(0, j).reduce((sum, spec) => sum + ((spec as { slots?: number }).slots ?? 1), 0);

const readLabels = (part: Table, name: string): string[] => {
  const { codes, levels } = asCoded(part.columns.find((column) => column.name === name)!, part.rows, 0);
  return Array.from({ length: part.rows }, (_, i) => levels[codes[i]]);
};

function factsOf(column: Column, rows: number, weight: Float64Array | null): Moments | Tallied {
  if (column.kind === 'numeric') {
    const found = momentsOf(column, rows, weight, 0);
    return found.cells > 0 ? found : { ...found, mean: 0, min: 0, max: 0 };
  }
  const { codes, levels } = asCoded(column, rows, 0);
  const counts = new Map<string, number>();
  for (let i = 0; i < rows; i++) {
    const s = weight?.[i] ?? 1;
    if (s > 0) counts.set(levels[codes[i]], (counts.get(levels[codes[i]]) ?? 0) + s);
  }
  return { kind: 'categorical', counts: [...counts], gaps: 0 };
}

function sumOf(
  likelihood: Likelihood,
  { op, ...question }: RemoteQuestion,
  [params, v]: readonly Float64Array[],
): Float64Array {
  const { parameters, classes, rows } = likelihood;
  const width = parameters / classes;
  const gradient = new Float64Array(parameters);
  const at = () => likelihood.at(params, gradient);
  const write = (length: number, fill: (out: Float64Array) => void) => {
    const out = new Float64Array(length);
    fill(out);
    return out;
  };
  const sums: Readonly<Record<string, () => Float64Array>> = {
    loss: () => Float64Array.of(likelihood.loss(params)),
    at: () => Float64Array.of(at().loss, ...gradient),
    hessian: () => write(parameters ** 2, (out) => at().hessian(out)),
    classHessian: () => write(width ** 2, (out) => at().classHessian(question['j'] as number, out)),
    hessianVector: () => write(parameters, (out) => at().hessianVector(v, out)),
    gram: () => write(width ** 2, (out) => likelihood.gram(null, out)),
    separates: () => {
      const z = new Float64Array(classes * rows);
      likelihood.logits(params, z);
      return Float64Array.of(z.length);
    },
  };
  return sums[op]();
}

const FEATURES = ['x', 'z', 'twice', 'c'];
const CASES: Readonly<Record<string, Partial<FitOptions>>> = {
  'L2, the default': {},
  'no penalty': { penalty: 'none', inference: true },
  'elastic net': { penalty: { lambda: 0.01, l1Ratio: 0.5 } },
  'weights and an offset': { weight: 'w', offset: 'o' },
  'balanced classes': { classWeight: 'balanced' },
  'three classes': { target: 'k' },
  'three classes without a penalty': { target: 'k', penalty: 'none', inference: true },
  'one against the rest': { target: 'k', multiclass: 'ovr' },
  'missing cells take the mean': { missing: 'mode' },
  'L-BFGS': { solver: 'lbfgs' },
  'Newton-CG': { solver: 'newton-cg' },
};

describe('rows on other machines', () => {
  for (const [name, more] of Object.entries(CASES)) {
    for (const cuts of [[], [1], [0, 300, 300, 1100]]) {
      it(`${name}, in ${cuts.length + 1} parts: the model of a table`, () => {
        const table = data();
        const engine = pickEngine();
        const options: FitOptions = { target: 'y', features: FEATURES, tol: 1e-12, ...more };
        const { model: wanted } = fit(table, options);
        const remote = new Parts(engine, table, cuts, options);
        const spec = readOptions({ ...options, engine });
        const problem = new RemoteProblem(remote, remote.statistics(FEATURES), spec, codingOf(spec.penalty));
        const model = fitProblem(problem, spec);
        problem.free();
        expect(model.manifest.classes).toEqual(wanted.manifest.classes);
        expect(model.manifest.aliased).toEqual(wanted.manifest.aliased);
        expect(model.manifest.warnings.map(({ code }) => code)).toEqual(
          wanted.manifest.warnings.map(({ code }) => code),
        );
        close(model.weights, wanted.weights);
        close(model.intercept, wanted.intercept);
        close(model.baseline!, wanted.baseline!);
        if (wanted.covariance) close(model.covariance!, wanted.covariance);
        expect(model.manifest.fit.logLik).toBeCloseTo(wanted.manifest.fit.logLik, 8);
        expect(model.manifest.fit.nullLogLik).toBeCloseTo(wanted.manifest.fit.nullLogLik, 8);
        expect(model.manifest.inference?.statistics?.observations).toBe(
          wanted.manifest.inference?.statistics?.observations,
        );
      });
    }
  }

  it('refuses by name what needs a number for every row', () => {
    const options: FitOptions = { target: 'y', features: FEATURES };
    const engine = pickEngine();
    const remote = new Parts(engine, data(), [], options);
    const problemOf = (more: object) => {
      const spec = readOptions({ ...options, ...more, engine });
      return () => fitProblem(new RemoteProblem(remote, remote.statistics(FEATURES), spec, 'onehot'), spec);
    };
    expect(problemOf({ penalty: 'firth' })).toThrow(/firth: expected rows in memory/);
    expect(problemOf({ penalty: 'none', inference: { profile: true } })).toThrow(/profile: expected rows in memory/);
    expect(problemOf({ trials: 'w' })).toThrow(/trials: expected none/);
    expect(problemOf({ classWeight: { no: 0 } })).toThrow(/class weight of 0/);
  });

  it('knows the classes by the rules of a table', () => {
    expect(readTarget(data(), 'k').classes).toEqual(['q', 'r', 's']);
  });
});

/** Sums over parts round otherwise, and a fit ends where its gradient is below 1e-12. */
function close(one: Float64Array, other: Float64Array): void {
  expect(one.length).toBe(other.length);
  one.forEach((value, i) => {
    expect(Math.abs(value - other[i])).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(other[i])));
  });
}
