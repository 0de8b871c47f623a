import type { Model } from 'logodds/score';
import type { Asked, Witness } from '../hooks.ts';
import { unitOf } from '../requests/unit.ts';
import type { Answer, Part, PartAnswer, Rows } from '../scoring/question.ts';

/** Of a model what lines of a prediction log need. */
export interface ScoredBy {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly classes: readonly string[];
  readonly fields: readonly { readonly name: string; readonly type: string; readonly private?: true }[];
}

/** Rows that were scored: plain data, which another thread can take. */
export interface Scored {
  readonly kind: 'scored';
  /** of the request: pieces of a stream have the same */
  readonly stream: number | null;
  /** milliseconds since 1970 */
  readonly at: number;
  readonly id: string;
  /** number of the first row in the request; null: the request has one row, which has the id of the request */
  readonly first: number | null;
  /** of each row its number behind the first one, where they do not follow one another; null: they do */
  readonly index: readonly number[] | null;
  readonly entity: string | null;
  readonly by: ScoredBy;
  /** the name that was asked, where another model stands behind it and has answered; null: its own */
  readonly front: string | null;
  /** the arm of a rollout that answered; null: there is none */
  readonly route: string | null;
  /** the rollout that the arm is of; null: there is none */
  readonly rollout: string | null;
  /** the segment by which its model was chosen; null: there are none */
  readonly segment: string | null;
  readonly rows: Rows;
  readonly logits: ArrayLike<number>;
  readonly probabilities: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly count: number;
  /** rows that were refused */
  readonly refused: readonly number[];
  /** about how much memory it takes */
  readonly bytes: number;
}

/** A stream has ended. */
export interface StreamEnd {
  readonly kind: 'end';
  readonly stream: number;
}

/** Where the key of an entity (a customer, a claim) stands. */
export type EntityFrom = { readonly field: string } | { readonly header: string } | null;

/** What a prediction log takes, and where it goes. */
export interface PredictionLogOptions {
  /** takes what was scored; it must not throw, and nothing waits for it */
  readonly sink: { take(item: Scored | StreamEnd): void };
  /** share of the requests that are taken; the same id is taken by each replica, or by none; default 1 */
  readonly sample?: number;
  /** default none */
  readonly entity?: EntityFrom;
  /** whether scores of a model are taken; called before its first one. Default: all are */
  readonly wants?: (by: ScoredBy, model: Model) => boolean;
  /** milliseconds since 1970; default `Date.now` */
  readonly now?: () => number;
  /** called with rows of requests that are not taken */
  readonly onLeft?: (by: ScoredBy, route: string | null, rows: number, refused: number) => void;
}

/** Takes what was scored, from what. Lines are made of it later: see `PredictionLines`. */
export function predictionLog(options: PredictionLogOptions): Witness {
  const { sink, sample = 1, entity = null, wants = EVERY, onLeft, now = Date.now } = options;
  /** null: its scores are not taken */
  const facts = new WeakMap<object, ScoredBy | null>();
  const streams = new Map<Asked, number>();
  let next = 0;
  const header = entity && 'header' in entity ? entity.header : null;
  return {
    scored(asked: Asked, answer: Answer, rows: Rows, own?: PartAnswer) {
      const isLeft = sample < 1 && unitOf(asked.id) >= sample;
      if (isLeft && !onLeft) return;
      const served = own?.part.served ?? asked.found!;
      let by = facts.get(served);
      if (by === undefined) {
        const told = factsOf(served);
        by = wants(told, served.model) ? told : null;
        facts.set(served, by);
      }
      if (!by) return;
      const { scores, faults } = answer;
      const route = own ? own.part.route : asked.route;
      if (isLeft) {
        onLeft!(by, route, scores.rows, faults.length);
        return;
      }
      const isPiece = asked.isStreaming || (own?.whole ?? rows).kind === 'csv';
      const count = own ? own.parts.codes.length : scores.rows;
      let stream: number | null = null;
      if (rows.kind === 'csv' || rows.kind === 'lines') {
        stream = streams.get(asked) ?? next++;
        streams.set(asked, stream);
      }
      // scores of a table are in memory that the next request writes
      const kept = scores.logits.length <= FEW ? listOf : rows.kind === 'table' ? copyOf : itself;
      sink.take({
        kind: 'scored',
        stream,
        at: now(),
        id: asked.id,
        first: isPiece || count > 1 ? asked.rows - count : null,
        index: own && count > scores.rows ? own.index : null,
        entity: header === null ? null : asked.request.headers.get(header),
        by,
        front: asked.asked!.name === by.name ? null : asked.asked!.name,
        route,
        rollout: own ? own.part.rollout : asked.rollout,
        segment: own?.part.segment ?? null,
        rows,
        logits: kept(scores.logits),
        probabilities: kept(scores.probabilities),
        labels: kept(scores.labels),
        count: scores.rows,
        refused: faults.length === 0 ? NONE : faults.map(({ row }) => row),
        bytes: sizeOf(rows) + 24 * scores.logits.length + 500,
      });
    },
    ended(asked: Asked) {
      const stream = streams.get(asked);
      if (stream === undefined) return;
      streams.delete(asked);
      sink.take({ kind: 'end', stream });
    },
  };
}

const EVERY = (): boolean => true;

type Values = Float64Array | Uint32Array;
const NONE: readonly number[] = [];
/** Numbers that another thread gets sooner as a list than as memory. */
const FEW = 16;
const itself = (values: Values): Values => values;
const copyOf = (values: Values): Values => values.slice();
function listOf(values: Values): number[] {
  const list: number[] = [];
  for (let i = 0; i < values.length; i++) list.push(values[i]);
  return list;
}

function factsOf({ name, version, sha256, fields, model }: Part['served']): ScoredBy {
  return {
    name,
    version,
    sha256,
    classes: model.manifest.classes,
    fields: fields.map((field) => ({
      name: field.name,
      type: field.type,
      ...(field.private && { private: true as const }),
    })),
  };
}

/** About how much memory rows take. */
function sizeOf(rows: Rows): number {
  if ('bytes' in rows) return rows.bytes.length;
  if (rows.kind === 'records') return 500 * rows.records.length;
  return 10 * rows.table.rows * rows.table.columns.length;
}
