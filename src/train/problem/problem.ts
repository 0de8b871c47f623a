import type { ColumnsBatch } from '../../../bindings/columnsBatch.ts';
import type { Engine } from '../../../bindings/engine.ts';
import type { Likelihood } from '../../../bindings/likelihood.ts';
import { Encoder, type SlotName } from '../../encode/encoder.ts';
import { encoders } from '../../encode/kinds/index.ts';
import type { Schema } from '../../encode/schema.ts';
import { slotNames } from '../../encode/slots.ts';
import { ChunkedLikelihood, type Chunks, cellsOf, profileChunks } from './chunks.ts';
import { lenient } from './resolve/trainingRows.ts';
import type { RowVectors } from './rows.ts';
import { profileSlots } from './slotProfile.ts';
import { slotsOf } from './slots.ts';
import { type Standardisation, standardisation } from './standardise.ts';
import { type ProblemSummary, summarise } from './summary.ts';
import type { TargetNumbers } from './target.ts';
import type { TargetColumns } from './targetColumns.ts';
import type { Task } from './task.ts';

/** The encoder of training rows. */
export const trainingEncoder = (schema: Schema): Encoder => new Encoder(lenient(schema), encoders);

/** Rows of a problem under given weights, ready to fit. A view owns its likelihoods, and the problem must outlive it. */
export interface View extends RowVectors {
  /** the encoded rows, with target-encoded columns for these weights; with chunks, a window on the rows */
  readonly batch: ColumnsBatch;
  /** one task, or for `ovr` one for each class */
  readonly tasks: readonly Task[];
  free(): void;
}

/**
 * One encoded data set, with everything that is decided before a likelihood is formed. It owns its memory and never changes. Rows under other
 * weights (a fold, a resampling) are a `view` of it.
 */
export class Problem {
  readonly engine: Engine;
  readonly rows: RowVectors;
  readonly schema: Schema;
  readonly encoder: Encoder;
  /** name of each slot */
  readonly slots: readonly SlotName[];
  readonly standard: Standardisation;
  /** standardised, f64; with `chunks` a window on the rows */
  readonly batch: ColumnsBatch;
  /** the rows, if they are not all in the batch */
  readonly chunks: Chunks | null;
  readonly #targets: TargetColumns | null;

  /**
   * @param batch   holds the encoded rows; the problem takes ownership
   * @param chunks  has the rows if the batch does not hold them all
   * @param targets  writes the target-encoded columns
   */
  constructor(
    engine: Engine,
    batch: ColumnsBatch,
    chunks: Chunks | null,
    schema: Schema,
    rows: RowVectors,
    targets: TargetColumns | null = null,
  ) {
    this.engine = engine;
    this.rows = rows;
    this.schema = schema;
    this.encoder = trainingEncoder(schema);
    this.slots = slotNames(this.encoder);
    this.standard = standardisation(this.encoder);
    this.batch = batch;
    this.chunks = chunks;
    this.#targets = targets;
    targets?.write(batch, rows.sampleWeight);
  }

  /**
   * Opens the likelihoods of the rows.
   *
   * A target-encoded column depends on the weights: a row with positive weight gets its cross-fitted value, from the other folds; a row with
   * weight 0 (held out) gets the value fitted on all rows with positive weight. If the problem has such columns and the weights differ, the
   * view holds its own batch.
   * @param rows  the rows of the problem under other weights; absent: unchanged
   */
  view(rows: RowVectors = this.rows): View {
    const { slots, standard, chunks } = this;
    const targets = rows.sampleWeight === this.rows.sampleWeight ? null : this.#targets;
    const batch = targets ? copyOf(this.batch, this.engine, this.encoder) : this.batch;
    const open: Likelihood[] = [];
    const free = () => {
      for (const likelihood of open) likelihood.free();
      if (targets) batch.free();
    };
    try {
      targets?.write(batch, rows.sampleWeight);
      const { weight, offset, totalWeight, unit } = rows;
      const tasks = outcomesOf(rows).map((share): Task => {
        const likelihood = this.#likelihood(batch, rows, share);
        open.push(likelihood);
        return {
          likelihood,
          slots: slotsOf(slots),
          profile: chunks
            ? profileChunks(chunks, share, weight, standard)
            : profileSlots(batch, share, weight, standard),
          standard,
          y: share ?? rows.y,
          weight,
          offset,
          totalWeight,
          cells: batch.specs.length,
          unit,
          copies: copiesOf(rows),
        };
      });
      return { ...rows, batch, tasks, free };
    } catch (error) {
      free();
      throw error;
    }
  }

  /**
   * Returns the data that a model needs besides the fit: plain data that outlives the problem. It takes one pass over the rows, unless a view of
   * them has the means of the slots.
   */
  summary(view?: View): ProblemSummary {
    const same = view && view.sampleWeight === this.rows.sampleWeight && view.weight === view.sampleWeight;
    return summarise(this, same ? view.tasks[0].profile.mean : undefined);
  }

  free(): void {
    this.batch.free();
  }

  #likelihood(batch: ColumnsBatch, rows: RowVectors, share: TargetNumbers | null): Likelihood {
    const { engine, chunks } = this;
    const { weight, offset, y, target } = rows;
    const classes = share ? 1 : target.classes.length;
    if (chunks) return new ChunkedLikelihood(engine, chunks, { y: share ?? y, weight, offset }, classes);
    return share
      ? engine.likelihood(batch, { y: share, weight, offset })
      : engine.multinomial(batch, { y, classes, weight });
  }
}

/** Share of the positive class in each row, for each likelihood; null where one likelihood has several classes. */
const outcomesOf = ({ kind, y, target }: RowVectors): (TargetNumbers | null)[] =>
  kind === 'multinomial'
    ? [null]
    : kind === 'binomial'
      ? [y]
      : target.classes.map((_, k) => y.map((code) => Number(code === k)));

/** The number of identical rows that each row represents; null: ones. */
function copiesOf({ weightKind, counts, target: { trials } }: RowVectors): Float64Array | null {
  if (weightKind !== 'count' || !counts || counts === trials) return null;
  return trials ? counts.map((count, i) => (trials[i] > 0 ? count / trials[i] : 1)) : counts;
}

function copyOf(batch: ColumnsBatch, engine: Engine, encoder: Encoder): ColumnsBatch {
  const copy = engine.encoded(batch.rows, encoder.specs);
  batch.specs.forEach((_, j) => {
    cellsOf(copy, j).set(cellsOf(batch, j));
  });
  return copy;
}
