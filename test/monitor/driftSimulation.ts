// False alarms and power of `drift` over seeded windows, beside the defaults of Evidently on the same rows. The table is test/fixtures/driftSimulation.json.

import { fit, type Model, type Table } from '../../src/index.ts';
import { splitmix32 } from '../../src/math/random.ts';
import { binsOfData, drift, evidentlyDefault, peerFigure, type Summary, summarise } from '../../src/monitor.ts';

/** What moves in a window, and by how much: units of a standard deviation, or of the log of a share. */
export interface Move {
  readonly what: 'nothing' | 'mean' | 'spread' | 'category';
  readonly by: number;
}

/** Rows of five columns: a normal number, a skewed one, a count with ties, a category of four levels, and one of thirty. */
export function rowsOf(count: number, seed: number, { what, by }: Move): Table {
  const random = splitmix32(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const [age, amount, visits] = [0, 1, 2].map(() => new Float64Array(count));
  const [plan, city] = [0, 1].map(() => new Uint32Array(count));
  const late = new Uint32Array(count);
  const shares = [0.5, 0.3, 0.15, 0.05].map((share, k) => share * (what === 'category' && k === 2 ? Math.exp(by) : 1));
  const total = shares.reduce((sum, share) => sum + share, 0);
  for (let i = 0; i < count; i++) {
    age[i] = (what === 'spread' ? 1 + by : 1) * normal() + (what === 'mean' ? by : 0);
    amount[i] = Math.exp(0.8 * normal());
    visits[i] = Math.floor(-2 * Math.log(1 - random()));
    let u = random() * total;
    let k = 0;
    while (k < 3 && u >= shares[k]) u -= shares[k++];
    plan[i] = k;
    // the most frequent of thirty has a sixth of the rows, the last ones a hundredth
    city[i] = Math.min(29, Math.floor(30 * random() ** 2));
    const z = -1 + 0.8 * age[i] + 0.3 * Math.log(amount[i]) - 0.1 * visits[i] + 0.5 * (k === 1 ? 1 : 0);
    late[i] = random() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
  }
  const levels = Array.from({ length: 30 }, (_, k) => `c${k}`);
  return {
    rows: count,
    columns: [
      { kind: 'numeric', name: 'age', values: age },
      { kind: 'numeric', name: 'amount', values: amount },
      { kind: 'numeric', name: 'visits', values: visits },
      { kind: 'coded', name: 'plan', codes: plan, levels: ['a', 'b', 'c', 'd'] },
      { kind: 'coded', name: 'city', codes: city, levels },
      { kind: 'coded', name: 'late', codes: late, levels: ['no', 'yes'] },
    ],
  } as Table;
}

/** Values of the features of a table, as other programs take them. */
const valuesOf = ({ columns }: Table): (Float64Array | string[])[] =>
  columns
    .slice(0, 5)
    .map((column) =>
      column.kind === 'numeric'
        ? (column.values as Float64Array)
        : Array.from(column.codes as Uint32Array, (code) => column.levels[code]),
    );

/** What windows are compared with. */
interface Reference {
  readonly model: Model;
  readonly whole: Summary;
  readonly values: readonly (Float64Array | string[])[];
}

const REFERENCE_ROWS = 5000;

function referenceOf(seed: number): Reference {
  const table = rowsOf(REFERENCE_ROWS, seed, { what: 'nothing', by: 0 });
  const { model } = fit(table, { target: 'late' });
  return { model, whole: summarise(model, table, binsOfData(model, table)), values: valuesOf(table) };
}

/** Whether a window is called drifted: any of its features is. */
const DETECTORS: Readonly<Record<string, (reference: Reference, window: Table) => boolean>> = {
  'logodds drift': ({ model, whole }, window) =>
    drift(whole, summarise(model, window, whole.bins), { model }).features.some(({ drifted }) => drifted),
  'PSI of 0.1': ({ model, whole }, window) =>
    drift(whole, summarise(model, window, whole.bins), { model }).features.some(
      ({ tests }) => (tests.psi?.value ?? 0) >= 0.1,
    ),
  'Evidently, by column': ({ values }, window) =>
    valuesOf(window).some(
      (current, k) => peerFigure('evidently', evidentlyDefault(values[k], current), values[k], current).drifted,
    ),
};

export interface Found {
  readonly detector: string;
  readonly rows: number;
  /** windows without a move that were called drifted, of a thousand */
  readonly falseAlarms: number;
  /** the least move that at least 90 % of windows showed; null: none of those that were tried */
  readonly mean: number | null;
  readonly spread: number | null;
  readonly category: number | null;
}

/** Moves that are tried, the least first. */
const MOVES: Readonly<Record<'mean' | 'spread' | 'category', readonly number[]>> = {
  mean: [0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8],
  spread: [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8],
  category: [0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.1, 1.5],
};

export const WINDOWS = [200, 500, 1000, 5000] as const;

/**
 * @param calm   windows without a move, for each size
 * @param moved  windows for each move
 */
export function simulateDrift(calm: number, moved: number, sizes: readonly number[] = WINDOWS): Found[] {
  // a reference is a sample too: there are several
  const references = Array.from({ length: 10 }, (_, k) => referenceOf(1 + k));
  const of = (k: number) => references[k % references.length];
  return sizes.flatMap((rows) =>
    Object.entries(DETECTORS).map(([detector, calls]): Found => {
      const count = (windows: number, move: Move, seed: number): number => {
        let called = 0;
        for (let k = 0; k < windows; k++) if (calls(of(k), rowsOf(rows, seed + k, move))) called++;
        return called;
      };
      const alarms = count(calm, { what: 'nothing', by: 0 }, 1_000_000);
      const least = (what: 'mean' | 'spread' | 'category') =>
        MOVES[what].find((by) => count(moved, { what, by }, 2_000_000) >= 0.9 * moved) ?? null;
      return {
        detector,
        rows,
        falseAlarms: Math.round((1000 * alarms) / calm),
        ...{ mean: least('mean'), spread: least('spread'), category: least('category') },
      };
    }),
  );
}
