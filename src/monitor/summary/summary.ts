import { refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import type { RecordScore, Scores } from '../../model/scores.ts';
import { whole } from '../check.ts';
import { addTo, SummaryCells, type SummaryOptions } from './cells.ts';
import { textOfUnits } from './exactSum.ts';
import { LabelSample, type SampledLabel } from './labels.ts';
import { isHidden, type Summarised, type SummaryBins } from './layout.ts';
import { NumberColumn, type NumberState, packed, unpacked } from './numberColumn.ts';
import { addTable, type PartOfTable } from './tables.ts';

/** What `Summary.toJSON` returns. */
export interface SummaryState {
  readonly kind: 'summary';
  readonly rows: number;
  readonly sampled: number;
  readonly scored: number;
  readonly refused: number;
  readonly sample: number;
  readonly seed: number;
  /** number of the next row in the stream */
  readonly next: number;
  /** of each column of the encoder: a number or a sum (null: nothing but 0), or counts of its slots */
  readonly columns: readonly (NumberState | readonly number[] | null)[];
  /** of each feature: rows missing, unseen or outside the range of the schema, below and above the range of training */
  readonly features: readonly (readonly number[])[];
  /** by index of the feature: a sample of the labels that training did not have */
  readonly labels: Readonly<Record<string, readonly SampledLabel[]>>;
  readonly scores: readonly NumberState[];
  /** by index of the class: how often it was the label */
  readonly decided: readonly number[];
}

/**
 * What the rows of a stream are like, in bounded memory: counts, moments and histograms by feature and of the scores; made by `summary` and `summarise`.
 *
 * Everything is counted or added exactly, so summaries of parts merge into the summary of the whole, in any order, to the bit. A number has about 40 bins, a
 * category a count for each level. Values that training did not have are counted, and 64 of their labels are kept.
 * @example
 * const seen = summarise(model, records);
 * seen.rows; // 30
 * seen.features[0].missing; // 0
 */
export class Summary extends SummaryCells {
  /** by class: how often it was the label */
  readonly decided: Float64Array;
  /** of the model, in its order */
  readonly classes: readonly string[];

  /** @internal */
  constructor(of: Summarised, bins: SummaryBins, options: SummaryOptions = {}) {
    refuseUnknown('summary', options, { sample: true, first: true, seed: true });
    super(of, bins, options);
    const { classes, positive } = of.manifest;
    const planes = positive === null ? classes.length : 2;
    if (bins.scores?.length !== planes)
      refuse(
        'ERR_SCHEMA',
        'bins',
        `${planes} planes of scores`,
        tell(bins.scores?.length),
        'use the baseline of this model',
      );
    this.decided = new Float64Array(classes.length);
    this.classes = classes;
  }

  /** Of the logit and the probability; with more than two classes the probability of each. @internal */
  get planes(): readonly NumberColumn[] {
    this.settle();
    return this.scorePlanes;
  }

  /** What was counted of each feature, in the order of the schema. */
  get features(): FeatureSummary[] {
    return this.plan.map(({ feature, index, columns }) => {
      const [missing, unseen, below, above] = this.counts.subarray(4 * index);
      // a label, an end, and the mean of few rows are those of somebody
      const labels = feature.private ? [] : (this.labels.get(index)?.shares(unseen) ?? []);
      const column = columns[0].kept === 'number' && !feature.private ? this.numbers[columns[0].at] : null;
      const [min, max] = column?.count ? [column.min, column.max] : [null, null];
      const moments = { mean: column?.mean ?? null, std: column?.std ?? null, min, max };
      return { feature: feature.name, missing, unseen, below, above, labels, ...moments };
    });
  }

  /**
   * Adds the score of the record that was added last.
   * @internal
   */
  addScore({ label, logit, probability, probabilities }: RecordScore): void {
    this.scored++;
    const { classes } = this;
    if (label === classes[0]) this.decided[0]++;
    else if (label === classes[1]) this.decided[1]++;
    else this.decided[classes.indexOf(label)]++;
    if (!this.takes(this.next - 1)) return;
    if (probabilities) for (let k = 0; k < probabilities.length; k++) this.holdScore(k, probabilities[k]);
    else {
      this.holdScore(0, logit);
      this.holdScore(1, probability);
    }
  }

  /** Adds rows that were encoded. @internal */
  addTable(part: PartOfTable): void {
    addTable(this, this.of, part);
  }

  /** Adds the scores of a table. @param first  number of its first row in the stream @internal */
  addScores(
    { rows, logits, probabilities, labels }: Pick<Scores, 'rows' | 'logits' | 'probabilities' | 'labels'>,
    first: number,
  ): void {
    this.scored += rows;
    const { planes, decided } = this;
    if (decided.length === 2) {
      let second = 0;
      for (let i = 0; i < rows; i++) second += labels[i];
      decided[0] += rows - second;
      decided[1] += second;
    } else for (let i = 0; i < rows; i++) decided[labels[i]]++;
    const two = this.of.manifest.positive !== null;
    const runs = this.runs(first, rows);
    planes.forEach((plane, k) => {
      const values = two && k === 0 ? logits : probabilities;
      const from = two ? 0 : k * rows;
      plane.addRuns(values.subarray(from, from + rows), runs, null);
    });
  }

  /**
   * Adds the rows of another summary of the same model. The result is that of all rows together, to the bit, in any order.
   * @throws ERR_SCHEMA a summary with other bins, classes or sampling
   */
  merge(other: Summary): void {
    const same =
      other instanceof Summary &&
      other.sample === this.sample &&
      other.seed === this.seed &&
      (other.bins === this.bins || JSON.stringify(other.bins) === JSON.stringify(this.bins)) &&
      other.codes.length === this.codes.length &&
      other.decided.length === this.decided.length;
    if (!same)
      refuse(
        'ERR_SCHEMA',
        'merge',
        'a summary of the same model, bins and sampling',
        'another',
        'merge those of one model',
      );
    this.addCells(other);
    addTo(this.decided, other.decided);
    this.planes.forEach((plane, k) => {
      plane.merge(other.planes[k]);
    });
    this.next = Math.max(this.next, other.next);
  }

  /** Returns an empty summary of the same kind. @param first  number of its first row in the stream; default: that of the next row here */
  fresh(first = this.next): Summary {
    return this.like({ sample: this.sample, seed: this.seed, first }, this.hides);
  }

  /** Returns an empty summary with the same bins. @param hides  whether it tells no sums and ends of private numbers @internal */
  like(options: SummaryOptions, hides = false): Summary {
    const made = new Summary(this.of, this.bins, options);
    made.hides = hides;
    return made;
  }

  /** The summary of a state, of the same model and bins as this one. @throws ERR_FORMAT, ERR_RANGE */
  restored(state: SummaryState): Summary {
    const made = Summary.from(this.of, this.bins, state);
    made.hides = this.hides;
    return made;
  }

  /** The state, for `JSON.stringify` and `summary`. */
  toJSON(): SummaryState {
    const { rows, sampled, scored, refused, sample, seed, next } = this;
    const hidden = new Set(
      this.hides ? this.plan.filter(isHidden).flatMap((one) => one.columns.map(({ at }) => at)) : [],
    );
    const columns = this.of.encoder.specs.map(({ slots = 0 }, at) => {
      const from = this.codesAt[at];
      if (from >= 0) return packed(this.codes.subarray(from, from + slots));
      const own = this.numbers[at];
      return own ? (hidden.has(at) ? countsOf(own) : own.toJSON()) : null;
    });
    const features = this.plan.map((_, i) => [...this.counts.subarray(4 * i, 4 * i + 4)]);
    const labels = Object.fromEntries([...this.labels].sort(([a], [b]) => a - b).map(([i, one]) => [i, one.toJSON()]));
    const scores = this.planes.map((plane) => plane.toJSON());
    const decided = [...this.decided];
    return {
      kind: 'summary',
      rows,
      sampled,
      scored,
      refused,
      sample,
      seed,
      next,
      columns,
      features,
      labels,
      scores,
      decided,
    };
  }

  /** @throws ERR_FORMAT, ERR_RANGE a state that is none of this model and these bins @internal */
  static from(of: Summarised, bins: SummaryBins, state: SummaryState): Summary {
    const { kind, sample, seed, next, columns, features, labels, scores, decided } = Object(state) as SummaryState;
    if (kind !== 'summary')
      refuse('ERR_FORMAT', 'state', 'an object of kind summary', tell(kind), 'give what toJSON returned');
    const into = new Summary(of, bins, { sample, seed, first: next });
    const { specs } = of.encoder;
    if (
      columns?.length !== specs.length ||
      features?.length !== into.plan.length ||
      scores?.length !== into.planes.length
    )
      refuse('ERR_FORMAT', 'state', 'the columns of this model', 'others', 'read it with the model that it is of');
    for (const name of ['rows', 'sampled', 'scored', 'refused'] as const) into[name] = whole(name, state[name]);
    columns.forEach((column, at) => {
      const from = into.codesAt[at];
      if (from >= 0) into.codes.set(unpacked(column, specs[at].slots ?? 0), from);
      else if (column) into.sumAt(at).merge(NumberColumn.from(into.sumAt(at).bins, column as NumberState));
    });
    features.forEach((counts, i) => {
      for (let k = 0; k < 4; k++) into.counts[4 * i + k] = whole('count of a feature', counts?.[k]);
    });
    for (const [index, list] of Object.entries(labels ?? {})) {
      if (!into.plan[Number(index)]) refuse('ERR_FORMAT', 'state', 'labels of a feature', tell(index), 'save it again');
      into.labels.set(Number(index), LabelSample.from(list));
    }
    scores.forEach((plane, k) => {
      into.scorePlanes[k] = NumberColumn.from(bins.scores[k], plane);
    });
    into.decided.forEach((_, k) => {
      into.decided[k] = whole('decided', decided?.[k]);
    });
    return into;
  }
}

const NO_SUM = /* @__PURE__ */ textOfUnits(0n);

/** A number without its sums, and with the ends of its bins. */
const countsOf = (column: NumberColumn): NumberState => {
  const { low, high } = column.bins;
  return { ...column.toJSON(), sums: [NO_SUM, NO_SUM], ...(column.count > 0 && { min: low, max: high }) };
};

/** What a summary has counted of one feature. */
export interface FeatureSummary {
  readonly feature: string;
  /** rows whose cell is missing */
  readonly missing: number;
  /** rows with a value that training did not have, or outside the range of the schema */
  readonly unseen: number;
  /** rows with a number below or above the range of training */
  readonly below: number;
  readonly above: number;
  /** the most frequent labels that training did not have, from a sample of 64 */
  readonly labels: readonly { readonly label: string; readonly share: number; readonly stdError: number }[];
  /** of the number as the model reads it, cells that are there; null: it reads none. All of them are null for a private feature: of one row they are its value */
  readonly mean: number | null;
  readonly std: number | null;
  readonly min: number | null;
  readonly max: number | null;
}
