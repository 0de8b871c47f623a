/** One bin of a reliability diagram: its probabilities lie in (low, high], the first bin includes 0. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly weight: number;
  /** mean probability of its rows, null without rows */
  readonly predicted: number | null;
  /** share of rows where it happened (of the positive class, or right), null without rows */
  readonly observed: number | null;
}

/**
 * Rows by probability into equal-width bins; edges as scikit-learn's `calibration_curve`.
 * @param outcomes  of each row 1 when it happened, else 0
 */
export function fillBins(
  probabilities: Float64Array,
  outcomes: ArrayLike<number>,
  weight: Float64Array | null | undefined,
  bins: number,
): ReliabilityBin[] {
  const edge = (k: number): number => (k === bins ? 1 : k * (1 / bins));
  const weights = new Float64Array(bins);
  const predicted = new Float64Array(bins);
  const observed = new Float64Array(bins);
  for (let i = 0; i < probabilities.length; i++) {
    const probability = probabilities[i];
    // the greatest bin whose lower edge lies below the probability; the product is off by one bin at most
    let bin = Math.min(Math.floor(probability * bins) + 1, bins - 1);
    while (bin > 0 && edge(bin) >= probability) bin--;
    const share = weight ? weight[i] : 1;
    weights[bin] += share;
    predicted[bin] += share * probability;
    observed[bin] += share * outcomes[i];
  }
  return Array.from(weights, (total, k) => ({
    low: edge(k),
    high: edge(k + 1),
    weight: total,
    predicted: total > 0 ? predicted[k] / total : null,
    observed: total > 0 ? observed[k] / total : null,
  }));
}

/** Σ_k (S_k/S)·|predicted − observed| */
export function calibrationError(table: readonly ReliabilityBin[]): number {
  const total = table.reduce((sum, bin) => sum + bin.weight, 0);
  return table.reduce(
    (sum, bin) => sum + (bin.weight * Math.abs((bin.predicted ?? 0) - (bin.observed ?? 0))) / total,
    0,
  );
}
