import { LogoddsError, refuse } from '../../../bindings/errors.ts';
import { refuseUnknown, tell } from '../../../bindings/names.ts';
import { finite, stateOf, whole } from '../check.ts';
import { type DelayHistogram, type DelayHistogramState, delayHistogram } from '../labels/delay.ts';
import { Tally } from '../log/tally.ts';

/** What a field of a record should be. */
export interface FieldRule {
  readonly name: string;
  /** default any */
  readonly kind?: 'number' | 'text' | 'boolean' | 'any';
  /** ends of the range of numbers */
  readonly low?: number;
  readonly high?: number;
  /** values that may occur, as text */
  readonly levels?: readonly string[];
  /** greatest age of the value when the record is scored, in milliseconds */
  readonly maxAgeMs?: number;
}

/** What was seen of a field. `rows` is the sum of `valid` and the five counts behind it. */
export interface FieldQuality {
  readonly rows: number;
  readonly valid: number;
  /** the record does not have it */
  readonly absent: number;
  /** null, or a number that is NaN */
  readonly missing: number;
  readonly wrongKind: number;
  /** infinite, or beyond the range */
  readonly outOfRange: number;
  /** none of the levels */
  readonly unseen: number;
  /** (absent + missing)/rows; null without rows */
  readonly missingRate: number | null;
  /** age of the value when it was scored; null where no time of it was given */
  readonly freshness: DelayHistogram | null;
  /** values older than `maxAgeMs`, and values from after the score */
  readonly stale: number;
  readonly fromFuture: number;
}

/** Options of `recordQuality`. */
export interface RecordQualityOptions {
  readonly fields: readonly FieldRule[];
  /** keys that are remembered to find duplicates: one that comes again after as many others is not found; default 100,000 */
  readonly remembered?: number;
}

/** What `RecordQuality.toJSON` returns. */
export interface RecordQualityState {
  readonly kind: 'recordQuality';
  readonly options: RecordQualityOptions;
  readonly rows: number;
  readonly violations: number;
  readonly duplicates: number;
  readonly fields: Readonly<Record<string, Counted & { readonly freshness: DelayHistogramState | null }>>;
  readonly others: Readonly<Record<string, number>>;
}

type Fault = 'absent' | 'missing' | 'wrongKind' | 'outOfRange' | 'unseen';
const COUNTS = ['valid', 'absent', 'missing', 'wrongKind', 'outOfRange', 'unseen', 'stale', 'fromFuture'] as const;
type Counted = Record<(typeof COUNTS)[number], number>;

interface Watched {
  readonly rule: FieldRule;
  readonly levels: ReadonlySet<string> | null;
  readonly counts: Counted;
  freshness: DelayHistogram | null;
}

/**
 * Counts how records keep to what they should be; made by `recordQuality`. Its size is bounded.
 * @example
 * const quality = recordQuality({ fields: [{ name: 'age', kind: 'number', low: 0 }] });
 * quality.add({ age: 'old', city: 'Ulm' });
 * quality.fields.age.wrongKind; // 1
 * quality.otherFields; // { city: 1 }
 */
export class RecordQuality {
  #rows = 0;
  #violations = 0;
  #duplicates = 0;
  readonly #fields: ReadonlyMap<string, Watched>;
  readonly #others = new Tally(100);
  readonly #remembered: number;
  /** keys of this generation, and of the one before */
  #keys = [new Set<string>(), new Set<string>()];

  readonly #options: RecordQualityOptions;

  /** @internal */
  constructor(given: RecordQualityOptions | RecordQualityState) {
    const state = stateOf<RecordQualityState>('recordQuality', given);
    const options = state ? state.options : (given as RecordQualityOptions);
    this.#options = options;
    refuseUnknown('recordQuality', options, { fields: true, remembered: true });
    if (!Array.isArray(options.fields))
      refuse('ERR_RANGE', 'fields', 'a list of rules', tell(options.fields), 'give those of the schema');
    this.#remembered = whole('remembered', options.remembered ?? 100_000, 1);
    this.#fields = new Map(options.fields.map((rule) => [rule.name, watched(rule)]));
    if (!state) return;
    this.#rows = whole('rows', state.rows);
    this.#violations = whole('violations', state.violations);
    this.#duplicates = whole('duplicates', state.duplicates);
    for (const [name, field] of this.#fields) {
      const saved = state.fields?.[name];
      for (const count of COUNTS) field.counts[count] = whole(count, saved?.[count]);
      if (saved.freshness) field.freshness = delayHistogram(saved.freshness);
    }
    this.#others.addAll(state.others);
  }

  /**
   * @param record  as it came
   * @param about  when it was scored (`at`), when the values of fields were true (`eventTimes`), both in milliseconds since 1970; and what tells records apart (`key`)
   * @throws ERR_RANGE a time that is no finite number
   */
  add(
    record: Readonly<Record<string, unknown>>,
    about: { readonly at?: number; readonly eventTimes?: Readonly<Record<string, number>>; readonly key?: string } = {},
  ): void {
    const { at, eventTimes, key } = about;
    if (at !== undefined) finite('at', at);
    for (const [name, time] of Object.entries(eventTimes ?? {})) finite(`eventTimes, ${name}`, time);
    this.#rows++;
    let isViolation = typeof record !== 'object' || record === null;
    const given = isViolation ? {} : record;
    for (const [name, field] of this.#fields) {
      const fault = faultOf(Object.hasOwn(given, name) ? given[name] : undefined, field);
      field.counts[fault ?? 'valid']++;
      isViolation ||= fault !== null && fault !== 'absent' && fault !== 'missing';
      const time = eventTimes && Object.hasOwn(eventTimes, name) ? eventTimes[name] : undefined;
      if (at !== undefined && time !== undefined) age(field, at - time);
    }
    for (const name of Object.keys(given)) if (!this.#fields.has(name)) this.#others.add(name);
    if (isViolation) this.#violations++;
    if (key !== undefined) this.#remember(key);
  }

  /** Takes the counts of another one. Duplicates are found within each, not between them. @throws ERR_SHAPE other fields */
  merge(other: RecordQuality): void {
    const isSame =
      other.#fields.size === this.#fields.size && [...other.#fields.keys()].every((name) => this.#fields.has(name));
    if (!isSame)
      throw new LogoddsError('ERR_SHAPE', 'fields: expected those of this one, got others; use one schema for both');
    this.#rows += other.#rows;
    this.#violations += other.#violations;
    this.#duplicates += other.#duplicates;
    for (const [name, theirs] of other.#fields) {
      const mine = this.#fields.get(name)!;
      for (const count of COUNTS) mine.counts[count] += theirs.counts[count];
      if (theirs.freshness) {
        mine.freshness ??= delayHistogram();
        mine.freshness.merge(theirs.freshness);
      }
    }
    this.#others.addAll(other.#others.counts);
  }

  get rows(): number {
    return this.#rows;
  }

  /** records with a value of a wrong kind, out of range or unseen, or that are no records */
  get violations(): number {
    return this.#violations;
  }

  /** keys that came again */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** by name, records with a field that has no rule; at most a hundred names, the rest under `others` */
  get otherFields(): Readonly<Record<string, number>> {
    return this.#others.counts;
  }

  get fields(): Readonly<Record<string, FieldQuality>> {
    return Object.fromEntries(
      [...this.#fields].map(([name, { counts, freshness }]) => {
        const rows = this.#rows;
        const missingRate = rows > 0 ? (counts.absent + counts.missing) / rows : null;
        return [name, { rows, ...counts, missingRate, freshness }];
      }),
    );
  }

  /** The state, for `JSON.stringify` and `recordQuality`. Keys are not in it: duplicates of what came before are not found after it. */
  toJSON(): RecordQualityState {
    const fields = [...this.#fields].map(([name, { counts, freshness }]) => [
      name,
      { ...counts, freshness: freshness?.toJSON() ?? null },
    ]);
    const { rows, violations, duplicates } = this;
    return {
      kind: 'recordQuality',
      options: this.#options,
      rows,
      violations,
      duplicates,
      fields: Object.fromEntries(fields),
      others: sorted(this.#others.counts),
    };
  }

  #remember(key: string): void {
    const [now, before] = this.#keys;
    if (now.has(key) || before.has(key)) this.#duplicates++;
    now.add(key);
    if (now.size >= this.#remembered) this.#keys = [new Set(), now];
  }
}

const sorted = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));

function watched(rule: FieldRule): Watched {
  refuseUnknown('field', rule, { name: true, kind: true, low: true, high: true, levels: true, maxAgeMs: true });
  const kinds: readonly unknown[] = ['number', 'text', 'boolean', 'any', undefined];
  if (!kinds.includes(rule.kind))
    refuse('ERR_RANGE', 'kind', 'number, text, boolean or any', tell(rule.kind), 'correct it');
  const counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as Counted;
  return { rule, levels: rule.levels ? new Set(rule.levels) : null, counts, freshness: null };
}

function faultOf(value: unknown, { rule, levels }: Watched): Fault | null {
  if (value === undefined) return 'absent';
  if (value === null || Number.isNaN(value)) return 'missing';
  const { kind = 'any', low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = rule;
  if (kind !== 'any' && typeof value !== (kind === 'text' ? 'string' : kind)) return 'wrongKind';
  if (typeof value === 'number' && !(Number.isFinite(value) && value >= low && value <= high)) return 'outOfRange';
  return levels && !levels.has(String(value)) ? 'unseen' : null;
}

function age(field: Watched, ageMs: number): void {
  field.freshness ??= delayHistogram();
  field.freshness.add(ageMs);
  if (ageMs < 0) field.counts.fromFuture++;
  else if (ageMs > (field.rule.maxAgeMs ?? Number.POSITIVE_INFINITY)) field.counts.stale++;
}

/**
 * Makes counters of how records keep to what they should be: absent, missing, of the wrong kind, out of range and unseen values by field, fields that nobody knows,
 * the age of values when they were scored, and duplicates. Counters of processes merge in any order.
 * @param options  options of new ones, or the state that `toJSON` returned
 * @throws ERR_RANGE an option outside its range; ERR_FORMAT a state of another kind
 * @example
 * const quality = recordQuality({ fields: [{ name: 'balance', kind: 'number', maxAgeMs: 86_400_000 }] });
 * quality.add({ balance: 12 }, { at: 172_800_000, eventTimes: { balance: 0 }, key: 'r1' });
 * quality.add({ balance: null }, { key: 'r1' });
 * quality.fields.balance.stale; // 1
 * quality.fields.balance.missingRate; // 0.5
 * quality.duplicates; // 1
 */
export const recordQuality = (options: RecordQualityOptions | RecordQualityState): RecordQuality =>
  new RecordQuality(options);
