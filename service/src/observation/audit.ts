import type { Asked, ChangeKeeper, Keeper, Witness } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import type { Answer, Rows } from '../scoring/question.ts';

/** Who asked which model what, and how it was decided; or who has changed what of it. No value of a record stands in it. */
export interface AuditEntry {
  readonly at: string;
  /** `rows`: a piece of an answer that goes on; `request`: the end of one; `change`: somebody has changed a registry, or tried to */
  readonly event: 'request' | 'rows' | 'change';
  readonly caller: string | null;
  readonly id: string;
  readonly protocol: string;
  readonly model: string | null;
  readonly version: string | null;
  readonly sha256: string | null;
  readonly status: number | null;
  readonly rows: number;
  readonly refused: number;
  /** rows by label */
  readonly labels: Readonly<Record<string, number>>;
  /** rows that a person has to look at */
  readonly review: number;
  /** how often each feature was given as a reason */
  readonly reasons: Readonly<Record<string, number>>;
  /** of a change: what it was */
  readonly what?: string;
  /** of a change: what its caller said; null: nothing */
  readonly why?: string | null;
}

/** Takes the entries of an audit log. */
export interface AuditSink {
  /** whether an answer waits until its entry is kept */
  readonly isStrict: boolean;
  put(entry: AuditEntry): void;
  /** Resolves when all that was put is kept. Rejects where it cannot be. */
  kept(): Promise<void>;
}

/** What was decided of a request since its last entry. */
interface Decided {
  rows: number;
  refused: number;
  review: number;
  readonly labels: Record<string, number>;
  readonly reasons: Record<string, number>;
}

/** Counts by names of any kind: `constructor` is none until it was counted. */
const counts = (): Record<string, number> => Object.create(null);

const nothing = (): Decided => ({ rows: 0, refused: 0, review: 0, labels: counts(), reasons: counts() });

/** Characters of a name that a client has made up. */
const MOST = 128;

/** Tells an audit log of each request to a model, and of each change. */
export function audit(sink: AuditSink): Witness & Keeper & ChangeKeeper {
  const open = new WeakMap<Asked, Decided>();
  const done = new WeakSet<Asked>();
  const put = (asked: Asked, event: AuditEntry['event'], status: number | null): void => {
    const { found, asked: wanted, caller, id, protocol } = asked;
    const { rows, refused, labels, review, reasons } = open.get(asked) ?? nothing();
    open.delete(asked);
    sink.put({
      at: new Date().toISOString(),
      event,
      caller,
      id,
      protocol,
      model: found?.name ?? wanted?.name.slice(0, MOST) ?? null,
      version: found?.version ?? null,
      sha256: found?.sha256 ?? null,
      status,
      rows,
      refused,
      labels,
      review,
      reasons,
    });
  };
  return {
    scored(asked: Asked, answer: Answer, _: Rows) {
      let decided = open.get(asked);
      if (!decided) {
        decided = nothing();
        open.set(asked, decided);
      }
      add(decided, answer, asked.found!.model.manifest.classes);
    },
    keep(asked, status) {
      // a piece of a stream in which nothing was decided
      if (status === null && !open.get(asked)?.rows) return undefined;
      put(asked, status === null ? 'rows' : 'request', status);
      if (status !== null) done.add(asked);
      return sink.kept().catch(() => {
        throw new Refusal(503, 'ERR_AUDIT', 'audit log: expected room for a line, got none; try again later', {
          headers: { 'retry-after': '5' },
        });
      });
    },
    ended(asked, status) {
      if (!done.has(asked)) put(asked, 'request', status);
    },
    changed({ caller, id, protocol, model, version, sha256, status, what, why }) {
      const { rows, refused, labels, review, reasons } = nothing();
      sink.put({
        ...{ at: new Date().toISOString(), event: 'change', caller, id, protocol },
        ...{ model: model.slice(0, MOST), version, sha256, status },
        ...{ rows, refused, labels, review, reasons, what, why },
      });
      return sink.isStrict && status < 400 ? sink.kept() : undefined;
    },
  };
}

function add(decided: Decided, { scores, faults, details }: Answer, classes: readonly string[]): void {
  const { rows, labels, review } = scores;
  decided.rows += rows;
  decided.refused += faults.length;
  const refused = new Set(faults.map(({ row }) => row));
  for (let i = 0; i < rows; i++) {
    if (refused.has(i)) continue;
    const name = classes[labels[i]];
    decided.labels[name] = (decided.labels[name] ?? 0) + 1;
    if (review?.[i]) decided.review++;
    for (const { feature } of details[i]?.reasons ?? []) decided.reasons[feature] = (decided.reasons[feature] ?? 0) + 1;
  }
}
