import { registryError } from './errors.ts';
import { FIRST, FORMAT, type Happening, lineOf, type RegistryEvent } from './event.ts';
import { type History, readLog } from './log.ts';
import { type State, stateOf } from './state.ts';
import type { LogText, Store } from './store.ts';

/** Who does something, and why. */
export interface Act {
  readonly by: string;
  readonly why?: string;
}

export interface RegistryOptions {
  /** milliseconds since 1970; default the clock of the host */
  readonly now?: () => number;
  /** a random id; default `crypto.randomUUID` */
  readonly id?: () => string;
}

/** A log as it was read, and what it says. */
export interface Read {
  readonly log: LogText;
  readonly history: History;
  readonly state: State;
}

/** Attempts of one event before its writer gives up: each means that another event was written. */
const MOST_ATTEMPTS = 1000;

/** Reads the log of a store, and writes events to its end. */
export class LogWriter {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #id: () => string;
  #read: Read | null = null;

  constructor(store: Store, { now, id }: Required<RegistryOptions>) {
    this.#store = store;
    this.#now = now;
    this.#id = id;
  }

  /** What the log says now. @throws ERR_STORE, ERR_FORMAT */
  async read(): Promise<Read> {
    const log = await this.#store.log(this.#read?.log.mark);
    if (log) {
      const history = readLog(log.text, this.#store.place);
      this.#read = { log, history, state: stateOf(history) };
    }
    return this.#read!;
  }

  /**
   * Writes an event. Where another one came first, what happens is asked again of what the registry says then.
   * @param next  null: nothing has to happen. It is given the time that the event will have
   * @returns whether something happened
   */
  async commit(
    act: Act,
    next: (state: State, at: string) => Happening | null | Promise<Happening | null>,
  ): Promise<boolean> {
    const id = this.#id();
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const { history, state, log } = await this.read();
      // by its id: a store that was asked twice, since its first answer was lost, says that somebody was first
      if (attempt > 0 && history.events.some((event) => event.id === id)) return true;
      const times = this.times(history);
      const happening = await next(state, times.at);
      if (!happening) return false;
      const event = { ...envelope(history, act, id, times), ...happening } as RegistryEvent;
      const line = `${history.isWhole ? '' : '\n'}${lineOf(event)}\n`;
      await this.#store.append(line, log.mark);
    }
    throw registryError(
      'ERR_STORE',
      `${this.#store.place}: expected a turn to write, got ${MOST_ATTEMPTS} events of others before; try again`,
    );
  }

  /** The time of the next event, which is never before that of the last one, and what the clock says. */
  times({ events }: History): Times {
    const last = events.at(-1)?.at ?? '';
    const clock = new Date(this.#now()).toISOString();
    return { at: clock < last ? last : clock, clock };
  }
}

interface Times {
  readonly at: string;
  readonly clock: string;
}

const envelope = ({ seq, head }: History, { by, why }: Act, id: string, { at, clock }: Times) => ({
  ...{ format: FORMAT, seq: seq + 1, before: seq === 0 ? FIRST : head, id, at, by },
  ...(at !== clock && { clock }),
  ...(why !== undefined && why !== '' && { why }),
});
