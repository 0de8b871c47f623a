import { createHash } from 'node:crypto';
import { labelJoin, labelSelection, type OutcomeLabel, type Prediction } from '../../../../src/monitor.ts';
import { OutputFile } from '../../write/temporary.ts';
import type { Policy } from './policy.ts';

/** Reads the logs, as often as it is asked. */
export interface LogSource {
  /** scores of the model, in pieces */
  predictions(): AsyncIterable<readonly Prediction[]>;
  labels(): AsyncIterable<readonly OutcomeLabel[]>;
}

/** What rows are made of. */
export interface SetOptions {
  readonly data: Policy['data'];
  /** name of the model */
  readonly name: string;
  readonly target: string;
  readonly classes: readonly string[];
  /** null: there are more than two classes */
  readonly positive: string | null;
  /** milliseconds since 1970 */
  readonly now: number;
  /** score time after which rows are of the gate, in milliseconds since 1970; absent: it follows from `data.holdout` */
  readonly after?: number;
  /** where rows go: to train on, and those that the gate looks at */
  readonly train: string;
  readonly holdout: string;
}

/** Rows with labels, and what became of the others. */
export interface TrainingSet {
  /** rows to train on, and those that the gate looks at: the newest */
  readonly rows: number;
  readonly holdoutRows: number;
  /** rows of each class, of both */
  readonly classes: Readonly<Record<string, number>>;
  /** of them, those of the gate */
  readonly newestClasses: Readonly<Record<string, number>>;
  /** score times, in milliseconds since 1970 */
  readonly oldest: number | null;
  readonly newest: number | null;
  /** ripe scores within the time that was asked for, with and without a label */
  readonly ripe: number;
  readonly unlabelled: number;
  /** too old, and too young */
  readonly tooOld: number;
  readonly unripe: number;
  /** of another model */
  readonly others: number;
  /** with a label, without inputs */
  readonly withoutInputs: number;
  /** labels that are no class of the champion */
  readonly strangeLabels: number;
  readonly labels: number;
  readonly duplicateLabels: number;
  readonly correctedLabels: number;
  /** labels known before their score was made */
  readonly earlyLabels: number;
  /** labels of scores that are not among these */
  readonly otherLabels: number;
  /** scores and labels that were dropped for room */
  readonly dropped: number;
  /** greatest share of the rows that one entity has; null: entities are not logged */
  readonly oneEntity: number | null;
  /** greatest share of the rows with the same inputs */
  readonly oneRow: number;
  /** whether labels came for some scores more than for others; null: without a score, and with more than two classes, it is not looked for */
  readonly selection: 'none' | 'uneven' | 'absent' | null;
  readonly selectionWarning: string | null;
  readonly isWeighted: boolean;
}

/** Scores and labels that are held at a time. */
const CAPACITY = 3_000_000;
/** Column of the weights, where there are some. */
export const WEIGHT = 'logodds_weight';

/**
 * Writes the rows that a model is trained on: inputs as they were when they were scored, and the label that came for them, so that a row has nothing that was
 * not known at the time of its score. The logs are read twice: for what belongs together, and for the inputs.
 * @throws the errors of reading; ERR_OUTPUT
 */
export async function writeTrainingSet(source: LogSource, options: SetOptions): Promise<TrainingSet> {
  const { data, name, classes, now, positive, target } = options;
  const join = labelJoin<Light>({ capacity: CAPACITY });
  let [tooOld, unripe, others] = [0, 0, 0];
  for await (const piece of source.predictions()) {
    for (const { model, at, id, entity, sha256, label, probability, inputs } of piece) {
      if (model !== name) others++;
      else if (at < now - data.lastMs) tooOld++;
      else if (at > now - data.ripeAfterMs) unripe++;
      else join.addPrediction({ at, id, entity, sha256, label, probability, hasInputs: inputs !== null });
    }
  }
  for await (const piece of source.labels()) for (const label of piece) join.addLabel(label);
  const { rows: joined, counts } = join.joined({ now });

  const labelled = joined.filter(
    ({ label, prediction }) => label && prediction.hasInputs && classes.includes(label.label),
  );
  const selection = joined.length > 0 && positive !== null ? selectionOf(joined, positive) : null;
  const isWeighted = data.selection === 'weigh' && selection !== null && selection.kind !== 'none';
  const weightOf = new Map(joined.map(({ prediction }, i) => [prediction.id, isWeighted ? selection!.weights[i] : 1]));
  const times = Float64Array.from(labelled, ({ prediction }) => prediction.at).sort();
  const cut = options.after ?? times[Math.max(0, Math.ceil(times.length * (1 - data.holdout)) - 1)] ?? 0;
  const byId = new Map(labelled.map((row) => [row.prediction.id, row]));

  const files = { train: new OutputFile(options.train), holdout: new OutputFile(options.holdout) };
  const written = { train: 0, holdout: 0 };
  const none = Object.fromEntries(classes.map((label) => [label, 0]));
  const byClass = { train: { ...none }, holdout: { ...none } };
  const repeats = new Counter();
  const entities = new Counter();
  for await (const piece of source.predictions()) {
    const lines = { train: '', holdout: '' };
    for (const { model, id, at, entity, inputs } of piece) {
      const row = model === name ? byId.get(id) : undefined;
      if (!row || row.prediction.at !== at || !inputs) continue;
      // the same line twice
      byId.delete(id);
      const { label } = row.label!;
      repeats.add(createHash('sha1').update(JSON.stringify(inputs)).digest('base64').slice(0, 12));
      if (entity !== null) entities.add(entity);
      const part = at > cut ? 'holdout' : 'train';
      written[part]++;
      byClass[part][label]++;
      const weight = isWeighted ? { [WEIGHT]: weightOf.get(id) } : {};
      lines[part] += `${JSON.stringify({ ...inputs, [target]: label, ...weight })}\n`;
    }
    for (const part of ['train', 'holdout'] as const)
      if (lines[part] !== '') files[part].write(Buffer.from(lines[part]));
  }
  for (const part of ['train', 'holdout'] as const) files[part].commit();
  const all = written.train + written.holdout;
  return {
    ...{ rows: written.train, holdoutRows: written.holdout },
    classes: Object.fromEntries(classes.map((label) => [label, byClass.train[label] + byClass.holdout[label]])),
    newestClasses: byClass.holdout,
    ...{ oldest: times[0] ?? null, newest: times.at(-1) ?? null },
    ...{ ripe: joined.length, unlabelled: joined.filter(({ label }) => !label).length, tooOld, unripe, others },
    withoutInputs: joined.filter(({ label, prediction }) => label && !prediction.hasInputs).length,
    strangeLabels: joined.filter(({ label }) => label && !classes.includes(label.label)).length,
    labels: counts.labels,
    duplicateLabels: counts.duplicateLabels,
    // of those of one time too the labels are not sure
    correctedLabels: counts.correctedLabels + counts.conflictingLabels,
    earlyLabels: counts.labelsBeforePrediction,
    otherLabels: counts.labelsWithoutPrediction,
    dropped: counts.predictionsDropped + counts.labelsDropped,
    oneEntity: entities.total === 0 ? null : entities.greatest / all,
    oneRow: all === 0 ? 0 : repeats.greatest / all,
    ...{ selection: selection?.kind ?? null, selectionWarning: selection?.warning ?? null, isWeighted },
  };
}

/** What is held of a score until the inputs are read again. */
interface Light extends Pick<Prediction, 'at' | 'id' | 'entity' | 'sha256' | 'label' | 'probability'> {
  readonly hasInputs: boolean;
}

function selectionOf(
  joined: readonly { readonly prediction: Light; readonly label: OutcomeLabel | null }[],
  positive: string,
) {
  return labelSelection(
    Float64Array.from(joined, ({ prediction }) => prediction.probability),
    joined.map(({ prediction }) => (prediction.label === positive ? 1 : 0)),
    joined.map(({ label }) => (label ? 1 : 0)),
  );
}

/** How often what is most frequent came. */
class Counter {
  greatest = 0;
  total = 0;
  readonly #counts = new Map<string, number>();

  add(key: string): void {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    this.total++;
    if (count > this.greatest) this.greatest = count;
  }
}
