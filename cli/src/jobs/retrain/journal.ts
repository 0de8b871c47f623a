import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { outputError } from '../../write/temporary.ts';
import type { TriggerName } from './policy.ts';

/** What a trigger said when it was looked at. */
export interface Looked {
  readonly trigger: TriggerName;
  /** what was compared; null: it could not be known */
  readonly value: number | null;
  readonly isOn: boolean;
  /** it is so far below that it counts as ended */
  readonly isOver: boolean;
  readonly sentence: string;
}

/** A step of a run, as the journal has it. */
export type Step = {
  readonly looked: {
    readonly champion: number;
    readonly triggers: readonly Looked[];
    readonly by: readonly TriggerName[];
    readonly decision: string;
  };
  readonly started: { readonly champion: number; readonly by: readonly string[] };
  /** a run that was cut short goes on: `from` the first thing that it does not do again */
  readonly resumed: { readonly from: Stage; readonly version: number | null };
  readonly set: { readonly rows: number; readonly [figure: string]: unknown };
  readonly refused: { readonly why: readonly string[] };
  readonly pushed: { readonly version: number };
  readonly ran: { readonly command: string; readonly status: number; readonly seconds: number; readonly said: string };
  readonly corrected: {
    readonly from: Readonly<Record<string, number>>;
    readonly to: Readonly<Record<string, number>>;
  };
  readonly evaluated: {
    readonly challenger: number;
    readonly champion: number;
    readonly rows: number;
    readonly passed: boolean;
    readonly why: string | null;
  };
  readonly ended: { readonly outcome: Outcome; readonly version: number | null; readonly why: string | null };
};

export type StepName = keyof Step;

/** How far a run had come when it was cut short. */
export type Stage = 'nothing' | 'rows' | 'candidate' | 'version' | 'rollout';

/** How a run ended. */
export type Outcome = 'rollout' | 'named' | 'gate failed' | 'refused' | 'failed' | 'cut short';

export type Entry = {
  readonly [K in StepName]: { readonly at: string; readonly run: number; readonly step: K } & Step[K];
}[StepName];

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isVersion = (value: unknown): boolean => value === null || isCount(value);
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);

/** What a step must have, so that a line which somebody has edited is left out instead of being half believed. */
const FIELDS: Readonly<Record<StepName, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  looked: { champion: isCount, by: areTexts, triggers: (value) => Array.isArray(value) && value.every(isLooked) },
  started: { champion: isCount, by: areTexts },
  resumed: { from: isText, version: isVersion },
  set: { rows: isCount },
  refused: { why: areTexts },
  pushed: { version: isCount },
  ran: { command: isText, status: isCount },
  corrected: {},
  evaluated: { challenger: isCount, champion: isCount },
  ended: { outcome: isText, version: isVersion },
};

const isLooked = (value: unknown): boolean =>
  isText((value as Looked | null)?.trigger) && typeof (value as Looked).isOver === 'boolean';

/** The journal of a policy: one line of JSON for each step, appended, from which everything that a run must know is read. */
export class Journal {
  readonly entries: readonly Entry[];
  /** lines that could not be read */
  readonly damaged: number;
  readonly #path: string;
  /** half a line of a run that was killed, which must not take the next one with it */
  #isTorn: boolean;

  /** Reads it. Nothing is made before something is appended. */
  constructor(path: string) {
    this.#path = path;
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const read = lines.filter((line) => line.trim() !== '').map(entryOf);
    this.entries = read.filter((entry) => entry !== null);
    this.damaged = read.length - this.entries.length;
    this.#isTorn = lines.length > 0 && lines.at(-1) !== '';
  }

  append<K extends StepName>(run: number, step: K, at: number, what: Step[K]): void {
    const entry = { at: new Date(at).toISOString(), run, step, ...what };
    const begin = this.#isTorn ? '\n' : '';
    // a disk that is full may take half of it
    this.#isTorn = true;
    this.#write(`${begin}${JSON.stringify(entry)}\n`);
    this.#isTorn = false;
    (this.entries as Entry[]).push(entry as unknown as Entry);
  }

  #write(text: string): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      const file = openSync(this.#path, 'a+', 0o640);
      try {
        writeSync(file, text);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw outputError(this.#path, error);
    }
  }
}

function entryOf(line: string): Entry | null {
  try {
    const value = JSON.parse(line) as Entry & Readonly<Record<string, unknown>>;
    const isEntry =
      Number.isSafeInteger(value.run) &&
      !Number.isNaN(Date.parse(value.at)) &&
      Object.hasOwn(FIELDS, value.step) &&
      Object.entries(FIELDS[value.step]).every(([field, holds]) => holds(value[field]));
    return isEntry ? value : null;
  } catch {
    return null;
  }
}

/** A run that began and did not end: its process was killed. */
export interface OpenRun {
  readonly run: number;
  /** against which it began */
  readonly champion: number;
  /** what began it */
  readonly by: readonly string[];
  /** its rows, which are written whole; null: not yet */
  readonly set: (Step['set'] & { readonly oldest?: unknown; readonly newest?: unknown }) | null;
  /** the version that it has pushed; null: none that the journal knows */
  readonly version: number | null;
  /** how often it was taken up already */
  readonly resumed: number;
}

/** What the journal says of earlier runs. */
export interface History {
  /** number of the next run */
  readonly next: number;
  /** when retrainings were begun that did not fail, in milliseconds since 1970 */
  readonly begun: readonly number[];
  /** null: each run that began has ended */
  readonly open: OpenRun | null;
  /** triggers that have brought a candidate beside this champion, and have not ended since */
  readonly spent: ReadonlySet<TriggerName>;
  /** how runs ended, and how many */
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** when challengers were evaluated last, by version, in milliseconds since 1970 */
  readonly evaluated: ReadonlyMap<number, number>;
  /** score time of the newest row that a retraining was on, in milliseconds since 1970; null: there was none */
  readonly newest: number | null;
}

const NOTHING = { by: [], at: 0, newest: null };

/** @param champion  version of the champion now: triggers of another one count no more */
export function historyOf(entries: readonly Entry[], champion: number): History {
  let [next, newest] = [1, null as number | null];
  let open = null as OpenRun | null;
  const begun: number[] = [];
  const spent = new Set<TriggerName>();
  const outcomes = new Map<Outcome, number>();
  const evaluated = new Map<number, number>();
  /** of the run that is open */
  let own: { by: readonly TriggerName[]; at: number; newest: number | null } = NOTHING;
  for (const entry of entries) {
    next = Math.max(next, entry.run + 1);
    switch (entry.step) {
      case 'looked':
        own = NOTHING;
        if (entry.champion !== champion) break;
        for (const { trigger, isOver } of entry.triggers) if (isOver) spent.delete(trigger);
        own = { ...own, by: entry.by };
        break;
      case 'started':
        open = {
          ...{ run: entry.run, champion: entry.champion, by: entry.by },
          ...{ set: null, version: null, resumed: 0 },
        };
        own = { ...own, at: Date.parse(entry.at) };
        break;
      case 'resumed':
        if (open) open = { ...open, resumed: open.resumed + 1 };
        break;
      case 'set':
        if (open) open = { ...open, set: entry };
        if (typeof entry['newest'] === 'string') own = { ...own, newest: Date.parse(entry['newest']) };
        break;
      case 'pushed':
        if (open) open = { ...open, version: entry.version };
        break;
      case 'evaluated':
        evaluated.set(entry.challenger, Date.parse(entry.at));
        break;
      case 'ended':
        open = null;
        outcomes.set(entry.outcome, (outcomes.get(entry.outcome) ?? 0) + 1);
        // what came to nothing by a fault of ours is done again
        if (entry.outcome !== 'failed' && entry.outcome !== 'cut short') {
          begun.push(own.at);
          newest = own.newest ?? newest;
        }
        if (entry.outcome === 'named' || entry.outcome === 'rollout') for (const trigger of own.by) spent.add(trigger);
        own = NOTHING;
    }
  }
  return { next, begun, open, spent, outcomes, evaluated, newest };
}
