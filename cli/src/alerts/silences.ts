import { LogoddsError } from '../../../src/index.ts';
import { secondsOf } from '../options/kinds.ts';
import { isObject, show } from '../options/tableFile.ts';
import type { Labels } from './evaluation.ts';

/** Alerts that nobody is told of for a time. */
export interface Silence {
  readonly id: string;
  /** name of the alert; null: any */
  readonly alert: string | null;
  /** null: any model, and what is of none */
  readonly model: string | null;
  /** milliseconds since 1970 */
  readonly at: number;
  readonly until: number;
  readonly by: string;
  readonly why: string;
}

/** What a silence is asked for by. */
export interface SilenceAsked {
  readonly alert?: string;
  readonly model?: string;
  /** `2h`, or a time in ISO 8601 */
  readonly until?: string;
  readonly why?: string;
}

/** Silences at a time, and days of the longest: what is forgotten must end. */
const MOST = 200;
const LONGEST_DAYS = 30;
const DAY_MS = 86_400_000;
const MOST_WHY = 1000;

/** Silences of a service: they end by themselves. */
export class Silences {
  #list: Silence[] = [];
  #last = 0;

  /** Those that are not over. */
  at(now: number): readonly Silence[] {
    this.#list = this.#list.filter(({ until }) => until > now);
    return this.#list;
  }

  /** The silence that an alert falls under; null: none. */
  of({ alertname, model }: Labels, now: number): Silence | null {
    const fits = (wanted: string | null, has: string | undefined) => wanted === null || wanted === has;
    return this.at(now).find((one) => fits(one.alert, alertname) && fits(one.model, model)) ?? null;
  }

  /** @param alerts  names that alerts may have @throws ERR_RANGE for what is no silence */
  add(asked: unknown, by: string, now: number, alerts: readonly string[]): Silence {
    const { alert = null, model = null, until, why } = checked(asked, alerts);
    if (this.at(now).length >= MOST) throw wrong(`expected at most ${MOST} silences at a time, got more`, 'end some');
    const silence: Silence = {
      id: `${now.toString(36)}-${++this.#last}`,
      alert,
      model,
      at: now,
      until: untilOf(until!, now),
      by,
      why: why!,
    };
    this.#list = [...this.#list, silence];
    return silence;
  }

  /** @returns the silence that was ended; null: there is none of this id */
  end(id: string): Silence | null {
    const found = this.#list.find((one) => one.id === id) ?? null;
    this.#list = this.#list.filter((one) => one !== found);
    return found;
  }

  save(): readonly Silence[] {
    return this.#list;
  }

  restore(list: readonly Silence[]): void {
    this.#list = [...list];
    this.#last = list.length;
  }
}

const KEYS = ['alert', 'model', 'until', 'why'];

function checked(asked: unknown, alerts: readonly string[]): SilenceAsked {
  if (!isObject(asked))
    throw wrong(`expected an object, got ${show(asked)}`, 'send {"alert", "model", "until", "why"}');
  for (const [key, value] of Object.entries(asked)) {
    if (!KEYS.includes(key)) throw wrong(`expected ${KEYS.join(', ')}, got ${show(key)}`, 'correct or remove it');
    if (typeof value !== 'string' || value === '' || value.length > MOST_WHY)
      throw wrong(`${key}: expected a text of at most ${MOST_WHY} characters, got ${show(value)}`, 'correct it');
  }
  const { alert, model, until, why } = asked as SilenceAsked;
  if (alert === undefined && model === undefined)
    throw wrong('expected the name of an alert or of a model, got neither', 'name what is silenced');
  if (alert !== undefined && !alerts.includes(alert))
    throw wrong(`alert: expected one of ${alerts.join(', ')}, got ${show(alert)}`, 'correct it');
  if (until === undefined) throw wrong('until: expected a time such as 2h, or one of ISO 8601, got none', 'give one');
  if (why === undefined) throw wrong('why: expected a reason, got none', 'say it to those who look later');
  return asked as SilenceAsked;
}

function untilOf(text: string, now: number): number {
  const seconds = secondsOf(text);
  const until = Number.isNaN(seconds) ? Date.parse(text) : now + seconds * 1000;
  if (until > now && until - now <= LONGEST_DAYS * DAY_MS) return until;
  throw wrong(
    `until: expected a time such as 2h, or one of ISO 8601, at most ${LONGEST_DAYS} days from now, got ${show(text)}`,
    'correct it',
  );
}

const wrong = (what: string, next: string): LogoddsError => new LogoddsError('ERR_RANGE', `silence: ${what}; ${next}`);
