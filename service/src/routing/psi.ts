import { chiSquareTail } from 'logodds/monitor';

const BINS = 10;
/** Pairs at the first look; the next looks are at twice as many each. */
const FIRST_LOOK = 1000;

/** PSI of the scores of two models over the same records, and whether it is above a limit. */
export interface Psi {
  readonly count: number;
  /** null: too few pairs */
  readonly value: number | null;
  readonly p: number;
  readonly isRejected: boolean;
  add(champion: number, challenger: number): void;
}

/**
 * Watches PSI = Σ (aₖ − eₖ)·ln(aₖ/eₖ) over ten bins of equal frequency of the champion's first scores; shares are (count + ½)/(n + 5).
 *
 * Of two samples of one distribution n/2·PSI is χ² with nine degrees of freedom (Yurdakul 2018). √PSI is a distance but for terms of higher order, so the limit
 * is passed where n/2·(√PSI − √limit)² is beyond what chance gives. The look at 1000·2ᵏ pairs has alpha/2ᵏ⁺¹: together alpha.
 */
export function psiOf(alpha: number, limit: number): Psi {
  let first: number[] | null = [];
  let kept: number[] = [];
  let edges: number[] = [];
  const expected = new Float64Array(BINS);
  const actual = new Float64Array(BINS);
  let count = 0;
  let look = 0;
  let isRejected = false;
  let p = 1;
  const put = (champion: number, challenger: number) => {
    expected[binOf(edges, champion)]++;
    actual[binOf(edges, challenger)]++;
  };
  const value = (): number => {
    let psi = 0;
    for (let k = 0; k < BINS; k++) {
      const e = (expected[k] + 0.5) / (count + BINS / 2);
      const a = (actual[k] + 0.5) / (count + BINS / 2);
      psi += (a - e) * Math.log(a / e);
    }
    return psi;
  };
  return {
    get count() {
      return count;
    },
    get value() {
      return first ? null : value();
    },
    get p() {
      return p;
    },
    get isRejected() {
      return isRejected;
    },
    add(champion, challenger) {
      count++;
      if (first) {
        first.push(champion);
        kept.push(challenger);
        if (count < FIRST_LOOK) return;
        const sorted = [...first].sort((a, b) => a - b);
        edges = Array.from({ length: BINS - 1 }, (_, k) => sorted[Math.floor(((k + 1) * count) / BINS)]);
        for (const [k, one] of first.entries()) put(one, kept[k]);
        first = null;
        kept = [];
      } else put(champion, challenger);
      if (count !== FIRST_LOOK * 2 ** look) return;
      const beyond = Math.max(0, Math.sqrt(Math.max(0, value())) - Math.sqrt(limit));
      const tail = chiSquareTail((count / 2) * beyond ** 2, BINS - 1);
      if (tail < alpha / 2 ** (look + 1)) isRejected = true;
      // as if it had been looked at once
      p = Math.min(p, tail * 2 ** (look + 1));
      look++;
    },
  };
}

/** Bins are closed on the left. */
function binOf(edges: readonly number[], value: number): number {
  let bin = 0;
  while (bin < edges.length && value >= edges[bin]) bin++;
  return bin;
}
