import { significant } from '../../figures/wording.ts';
import type { RunRecord } from './record.ts';

/** Metrics of which a greater value is better, and of which a smaller one is. Of others nobody knows. */
const BEST: Readonly<Record<string, 1 | -1>> = {
  ...{ auc: 1, accuracy: 1, averagePrecision: 1, f1: 1, ks: 1, devianceRatio: 1 },
  ...{ logLoss: -1, brier: -1, ece: -1, 'fit.objective': -1 },
};
/** In the order in which they are shown. */
const SHOWN = ['logLoss', 'auc', 'brier', 'ece', 'accuracy', 'devianceRatio', 'nonzero'];
/** Parameters that differ anyway, or are told otherwise. */
const APART = /^(rows|rows\..*|model|model\.sha256)$/;

/** Runs beside one another. */
export interface Comparison {
  readonly runs: readonly RunRecord[];
  /** metrics that some of the runs have */
  readonly metrics: readonly string[];
  /**
   * the best run of each metric, among those that have finished and have it; ties go to the oldest. Where rows of several kinds were judged (held-out, given
   * ones, cross-validation), it is one of the kind that most runs have
   */
  readonly best: ReadonlyMap<string, RunRecord>;
  /** what stands against comparing them: one sentence each */
  readonly cautions: readonly string[];
  /** parameters of which the runs have different values */
  readonly differing: readonly string[];
  /** parameters of which all have one value */
  readonly common: readonly (readonly [name: string, value: string])[];
}

/** 1: greater is better; -1: smaller is; 0: nobody knows. */
export const directionOf = (metric: string): -1 | 0 | 1 => (Object.hasOwn(BEST, metric) ? BEST[metric]! : 0);

export const hasMetric = ({ metrics }: RunRecord, name: string): boolean =>
  Object.hasOwn(metrics, name) && !Number.isNaN(metrics[name]);

/** Compares runs. @param sort  a metric that is shown first */
export function compare(runs: readonly RunRecord[], sort?: string): Comparison {
  const present = (name: string) => runs.some((run) => hasMetric(run, name));
  const metrics = [...new Set([...(sort === undefined ? [] : [sort]), ...SHOWN])].filter(present);
  const best = new Map<string, RunRecord>();
  for (const name of [...new Set([...metrics, ...Object.keys(BEST)])]) {
    const sign = directionOf(name);
    const those = alike(runs.filter((run) => run.status === 'finished' && hasMetric(run, name)));
    // one is no comparison
    if (sign === 0 || those.length < 2) continue;
    best.set(
      name,
      those.reduce((a, b) => (sign * (b.metrics[name]! - a.metrics[name]!) >= 0 ? b : a)),
    );
  }
  const names = [...new Set(runs.flatMap(({ params }) => Object.keys(params)))].filter((name) => !APART.test(name));
  const values = (name: string) => new Set(runs.map(({ params }) => params[name] ?? null));
  const differing = names.filter((name) => values(name).size > 1);
  const kinds = new Set(runs.flatMap(({ params }) => params['sample'] ?? []));
  const inputs = new Set(runs.flatMap(({ data }) => data.map(({ sha256 }) => sha256)).filter((one) => one !== null));
  return {
    cautions: [
      ...(kinds.size > 1
        ? [`rows of several kinds were judged (${[...kinds].join(', ')}), and metrics compare only within one of them`]
        : []),
      ...(inputs.size > 1
        ? [`the runs have read ${inputs.size} different inputs, and metrics compare only on the same`]
        : []),
    ],
    ...{ runs, metrics, best, differing },
    common: names.filter((name) => !differing.includes(name)).map((name) => [name, runs[0]!.params[name]!]),
  };
}

/** Runs by a metric, the best first; those without it come last. A metric of which nobody knows what is best: the greatest first. */
export const sorted = (runs: readonly RunRecord[], metric: string): RunRecord[] => {
  const sign = directionOf(metric) || 1;
  const rank = (run: RunRecord) => (hasMetric(run, metric) ? -sign * run.metrics[metric]! : Number.POSITIVE_INFINITY);
  return [...runs].sort((a, b) => {
    const [x, y] = [rank(a), rank(b)];
    return x === y ? 0 : x < y ? -1 : 1;
  });
};

/** Of runs those of which rows of the same kind were judged: of the kind that most of them have. */
function alike(runs: readonly RunRecord[]): readonly RunRecord[] {
  const kinds = new Map<string, RunRecord[]>();
  for (const run of runs)
    kinds.set(run.params['sample'] ?? '', [...(kinds.get(run.params['sample'] ?? '') ?? []), run]);
  return [...kinds.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
}

/** A value of a parameter for people: numbers with many digits are shortened. */
export const shortValue = (text: string): string =>
  /^-?\d+\.\d{5,}(e-?\d+)?$/.test(text) ? significant(Number(text)) : text;
