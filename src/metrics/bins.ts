import { LogoddsError } from '../../bindings/errors.ts';
import { tell } from '../../bindings/names.ts';
import { sortTagged } from '../math/sort.ts';
import { areCounts, type Labels, type Weight, type WeightKind } from './check.ts';

/** One bin of a reliability diagram. Its probabilities lie in (low, high]; the first bin includes `low`. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly weight: number;
  /** mean probability of its rows; null without rows */
  readonly predicted: number | null;
  /** share of its rows that are positive (for classes: whose label is right); null without rows */
  readonly observed: number | null;
}

/**
 * How probabilities are put into bins: `uniform` into equal widths, `quantile` into equal weights, as far as equal probabilities allow.
 */
export type BinStrategy = 'uniform' | 'quantile';

/** How rows are put into bins: 10 of equal width when absent; what weights are matters to edges at quantiles alone. */
export type Binning = [bins?: number, strategy?: BinStrategy, weightKind?: WeightKind];

/**
 * The Brier score in parts, over bins of probability:
 *
 *   brier = reliability − resolution + uncertainty + withinBins
 *
 *   reliability  Σ_k (S_k/S)·(p̄_k − ō_k)², 0 when calibrated        p̄_k, ō_k: mean probability and share of positives of bin k
 *   resolution   Σ_k (S_k/S)·(ō_k − ō)², greater is better          ō: share of positives
 *   uncertainty  ō·(1 − ō), of the data alone
 *   withinBins   1/S · Σ sᵢ·((pᵢ − p̄_k)² − 2·(pᵢ − p̄_k)·(yᵢ − ō_k)): variance less twice the covariance within the bins;
 *                0 when the probabilities of a bin are equal; Murphy's three terms leave it out
 */
export interface BrierParts {
  readonly brier: number;
  readonly reliability: number;
  readonly resolution: number;
  readonly uncertainty: number;
  readonly withinBins: number;
}

/** The bins of rows: which one is each row's, and what is in them. */
export interface Binned {
  readonly of: Uint32Array;
  readonly table: ReliabilityBin[];
}

/**
 * Rows by probability into bins; edges as scikit-learn's `calibration_curve`.
 * @param outcomes  of each row 1 when it happened, else 0
 * @throws ERR_RANGE when bins is no integer from 1 to 10,000, or the strategy is none
 */
export function binRows(
  probabilities: Float64Array,
  outcomes: ArrayLike<number>,
  weight: Weight,
  ...[bins = 10, strategy = 'uniform', weightKind]: Binning
): Binned {
  if (!(Number.isInteger(bins) && bins >= 1 && bins <= 10_000)) {
    throw new LogoddsError('ERR_RANGE', `bins: expected an integer from 1 to 10000, got ${tell(bins)}`);
  }
  if (!Object.hasOwn(EDGES, strategy)) {
    throw new LogoddsError('ERR_RANGE', `strategy: expected uniform or quantile, got ${String(strategy)}`);
  }
  const edges = EDGES[strategy](bins, probabilities, weight, weightKind);
  const of = new Uint32Array(probabilities.length);
  const weights = new Float64Array(bins);
  const predicted = new Float64Array(bins);
  const observed = new Float64Array(bins);
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i];
    // the number of inner edges below the probability
    let bin = 0;
    let end = bins - 1;
    while (bin < end) {
      const middle = (bin + end) >>> 1;
      if (edges[middle + 1] < probability) bin = middle + 1;
      else end = middle;
    }
    const share = weight ? weight[i] : 1;
    of[i] = bin;
    weights[bin] += share;
    predicted[bin] += share * probability;
    observed[bin] += share * outcomes[i];
  }
  const table = Array.from(weights, (total, k) => ({
    low: edges[k],
    high: edges[k + 1],
    weight: total,
    predicted: total > 0 ? predicted[k] / total : null,
    observed: total > 0 ? observed[k] / total : null,
  }));
  return { of, table };
}

type Edges = (bins: number, probabilities: Float64Array, weight: Weight, kind?: WeightKind) => Float64Array;

const EDGES: Record<BinStrategy, Edges> = {
  uniform: (bins) => steps(bins),
  quantile: (bins, probabilities, weight, kind) => {
    const { values, tags: rows } = sortTagged(probabilities, (row) => row);
    const { cumulated, used } = cumulate(rows, weight, kind);
    const last = cumulated[used.length - 1] - 1;
    const at = (unit: number): number => {
      let low = 0;
      let high = used.length - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (cumulated[middle] > unit) high = middle;
        else low = middle + 1;
      }
      return values[used[low]];
    };
    return steps(bins).map((share) => {
      // numpy's percentile, operation by operation: an edge lies on a probability or beside it by these roundings
      const unit = Math.max(0, last * ((share * 100) / 100));
      const whole = Math.floor(unit);
      const rest = unit - whole;
      const [low, high] = [at(whole), at(whole + 1)];
      return rest < 0.5 ? low + (high - low) * rest : high - (high - low) * (1 - rest);
    });
  },
};

/** 0, 1/bins, …, 1 as numpy's linspace has them */
function steps(bins: number): Float64Array {
  return Float64Array.from({ length: bins + 1 }, (_, k) => (k === bins ? 1 : k * (1 / bins)));
}

/**
 * The places of rows of positive weight in this order, and the sums of weights up to them. Weights that are no counts are
 * scaled so that they are 1 on average: a quantile of rows needs a number of rows.
 */
function cumulate(
  rows: Uint32Array,
  weight: Weight,
  kind?: WeightKind,
): { used: Uint32Array; cumulated: Float64Array } {
  const used = Uint32Array.from(rows.keys()).filter((place) => !weight || weight[rows[place]] > 0);
  const cumulated = new Float64Array(used.length);
  let sum = 0;
  used.forEach((place, k) => {
    sum += weight ? weight[rows[place]] : 1;
    cumulated[k] = sum;
  });
  const scale = areCounts(weight, kind) ? 1 : used.length / sum;
  return { used, cumulated: scale === 1 ? cumulated : cumulated.map((value) => value * scale) };
}

/** Σ_k (S_k/S)·|predicted − observed| */
export function calibrationError(table: readonly ReliabilityBin[]): number {
  const total = table.reduce((sum, bin) => sum + bin.weight, 0);
  return table.reduce(
    (sum, bin) => sum + (bin.weight * Math.abs((bin.predicted ?? 0) - (bin.observed ?? 0))) / total,
    0,
  );
}

/** The parts of the Brier score over these bins; of each row its probability of the positive class, and y. */
export function brierParts({ of, table }: Binned, probabilities: Float64Array, y: Labels, weight: Weight): BrierParts {
  const total = table.reduce((sum, bin) => sum + bin.weight, 0);
  const share = table.reduce((sum, bin) => sum + bin.weight * (bin.observed ?? 0), 0) / total;
  const over = (value: (bin: ReliabilityBin) => number): number =>
    table.reduce((sum, bin) => sum + (bin.weight > 0 ? bin.weight * value(bin) : 0), 0) / total;
  let brier = 0;
  let within = 0;
  for (let i = 0; i < probabilities.length; i++) {
    const mine = weight ? weight[i] : 1;
    const { predicted, observed } = table[of[i]];
    if (!(mine > 0)) continue;
    const apart = probabilities[i] - predicted!;
    brier += mine * (probabilities[i] - y[i]) ** 2;
    within += mine * (apart * apart - 2 * apart * (y[i] - observed!));
  }
  return {
    brier: brier / total,
    reliability: over((bin) => (bin.predicted! - bin.observed!) ** 2),
    resolution: over((bin) => (bin.observed! - share) ** 2),
    uncertainty: share * (1 - share),
    withinBins: within / total,
  };
}
