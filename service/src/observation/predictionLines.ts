import { type CsvPieces, Inputs } from './inputs.ts';
import type { EntityFrom, Scored, ScoredBy, StreamEnd } from './predictionLog.ts';

/** A line of a prediction log. */
export interface PredictionLine {
  readonly at: string;
  readonly id: string;
  readonly entity: string | null;
  readonly model: string;
  readonly version: string;
  readonly sha256: string;
  /** the arm of a rollout that answered; null: there is none */
  readonly route: string | null;
  /** the rollout that the arm is of: the number of the event of the registry that began it, or the id of its route in a file; absent: there is none */
  readonly rollout?: string;
  /** the segment by which its model was chosen; absent: there are none */
  readonly segment?: string;
  /** with several classes one for each */
  readonly logit: number | readonly number[];
  /** with two classes that of the positive one, else that of the label */
  readonly probability: number;
  readonly label: string;
  /** the fields of the model that are not private; null: they could not be read a second time */
  readonly inputs: Readonly<Record<string, unknown>> | null;
}

type Record_ = Readonly<Record<string, unknown>>;

/** How lines are made. */
export interface PredictionLinesOptions {
  readonly entity?: EntityFrom;
  /** makes what reads CSV; default none: such lines have no inputs */
  readonly csv?: (by: ScoredBy) => CsvPieces;
}

/** Makes lines of what was scored. Bodies are parsed here a second time, so that a request need not wait for it. */
export class PredictionLines {
  /** scores whose inputs could not be read */
  unmatched = 0;
  readonly #field: string | null;
  readonly #inputs: Inputs;

  constructor({ entity = null, csv }: PredictionLinesOptions = {}) {
    this.#field = entity && 'field' in entity ? entity.field : null;
    this.#inputs = new Inputs(csv);
  }

  /** @param inputs  of the rows, where they were read already: as `Inputs.of` gives them */
  of(item: Scored | StreamEnd, inputs?: ReturnType<Inputs['of']>): PredictionLine[] {
    if (item.kind === 'end') {
      this.#inputs.end(item);
      return [];
    }
    const { by, count, first, id, index, rollout, segment, logits, probabilities, labels } = item;
    const records = inputs === undefined ? this.#inputs.of(item) : inputs;
    const refused = new Set(item.refused);
    const at = new Date(item.at).toISOString();
    const vectors = count > 0 ? logits.length / count : 1;
    const shown = by.fields.filter((field) => !field.private).map(({ name }) => name);
    const lines: PredictionLine[] = [];
    for (let i = 0; i < count; i++) {
      if (refused.has(i)) continue;
      const record = records?.[i] ?? null;
      if (!record) this.unmatched++;
      const label = labels[i];
      lines.push({
        at,
        id: first === null ? id : `${id}/${first + (index ? index[i] : i)}`,
        entity: item.entity ?? this.#entityOf(record, by),
        model: by.name,
        version: by.version,
        sha256: by.sha256,
        route: item.route,
        ...(rollout !== null && { rollout }),
        ...(segment !== null && { segment }),
        logit: vectors === 1 ? logits[i] : Array.from({ length: vectors }, (_, k) => logits[k * count + i]),
        probability: vectors === 1 ? probabilities[i] : probabilities[label * count + i],
        label: by.classes[label],
        inputs: record && Object.fromEntries(shown.map((name) => [name, cellOf(record, name)])),
      });
    }
    return lines;
  }

  #entityOf(record: Record_ | null, { fields }: ScoredBy): string | null {
    const name = this.#field;
    if (name === null || !record || fields.some((field) => field.private && field.name === name)) return null;
    const value = cellOf(record, name);
    return value === null || typeof value === 'object' ? null : String(value);
  }
}

const cellOf = (record: Record_, name: string): unknown => (Object.hasOwn(record, name) ? record[name] : null) ?? null;
