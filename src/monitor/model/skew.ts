import { whole } from '../check.ts';

/** Scores against scores computed again from their inputs. */
export interface SkewState {
  /** compared, and equal to the bit in logit, probability and label */
  readonly compared: number;
  readonly equal: number;
  /** greatest difference of logits, and of probabilities */
  readonly greatestLogit: number;
  readonly greatestProbability: number;
  /** ids of rows that differ: the first twenty by text */
  readonly examples: readonly string[];
}

const EXAMPLES = 20;

/** Counts scores that are not what the model says again. Merges in any order. */
export class SkewCounts {
  compared = 0;
  equal = 0;
  greatestLogit = 0;
  greatestProbability = 0;
  #examples: string[] = [];

  constructor(state?: SkewState) {
    if (!state) return;
    this.compared = whole('compared', state.compared);
    this.equal = whole('equal', state.equal);
    this.#far(Number(state.greatestLogit), Number(state.greatestProbability));
    for (const id of state.examples) this.#name(String(id));
  }

  /** @param apart  differences of a row: of the logit, the probability, and whether labels differ */
  add(id: string | null, logit: number, probability: number, isOther: boolean): void {
    this.compared++;
    if (logit === 0 && probability === 0 && !isOther) {
      this.equal++;
      return;
    }
    this.#far(Math.abs(logit), Math.abs(probability));
    if (id !== null) this.#name(id);
  }

  /** Rows that are equal to the bit. */
  addEqual(rows: number): void {
    this.compared += rows;
    this.equal += rows;
  }

  merge(other: SkewCounts): void {
    this.compared += other.compared;
    this.equal += other.equal;
    this.#far(other.greatestLogit, other.greatestProbability);
    for (const id of other.#examples) this.#name(id);
  }

  toJSON(): SkewState {
    const { compared, equal, greatestLogit, greatestProbability } = this;
    return { compared, equal, greatestLogit, greatestProbability, examples: [...this.#examples] };
  }

  #far(logit: number, probability: number): void {
    if (logit > this.greatestLogit) this.greatestLogit = logit;
    if (probability > this.greatestProbability) this.greatestProbability = probability;
  }

  #name(id: string): void {
    const kept = this.#examples;
    if (kept.includes(id) || (kept.length === EXAMPLES && id > kept[EXAMPLES - 1])) return;
    kept.push(id);
    kept.sort((a, b) => (a < b ? -1 : 1));
    if (kept.length > EXAMPLES) kept.pop();
  }
}
