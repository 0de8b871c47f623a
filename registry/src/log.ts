import { registryError } from './errors.ts';
import { digestOf, FIRST, FORMAT, type RegistryEvent } from './event.ts';

/** A line of the log that is no event of the history, and why. */
export interface Fault {
  /** from 1 on */
  readonly line: number;
  /** torn: a writer was stopped in it. lost: another event took its place. damaged: something happened to the file. */
  readonly kind: 'torn' | 'lost' | 'damaged';
  readonly reason: string;
}

/** The history that a log tells. */
export interface History {
  readonly events: readonly RegistryEvent[];
  /** what was damaged; the rest is readable */
  readonly faults: readonly Fault[];
  readonly seq: number;
  /** digest of the last line, which the next event must have */
  readonly head: string;
  /** whether the text ends with a whole line */
  readonly isWhole: boolean;
}

/**
 * Reads a log.
 *
 * Writers append without a lock. An event counts if its number follows and it has the digest of the line before. Of two that were appended at once the first
 * has both; the other's number is taken, so it counts for nothing and its writer tries again. A line that a stopped writer has torn is no JSON, and counts for
 * nothing either. So every reader finds the same history.
 *
 * @param place  what messages call the registry
 * @throws ERR_FORMAT for events of a newer format
 */
export function readLog(text: string, place: string): History {
  const events: RegistryEvent[] = [];
  const faults: Fault[] = [];
  let seq = 0;
  let head = FIRST;
  // a line that could not be read, after which the next event need not follow
  let torn: number | null = null;
  let lastLine = 0;
  const isWhole = text === '' || text.endsWith('\n');
  for (const [k, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const event = eventOf(line);
    if (!event) {
      torn = k + 1;
      faults.push({ line: torn, kind: 'torn', reason: 'it is no event: its writer was stopped, or it was changed' });
      continue;
    }
    if (event.format > FORMAT) throw registryNewer(place, event.format, k + 1);
    if (event.seq <= seq) {
      faults.push({
        line: k + 1,
        kind: 'lost',
        reason: `event ${event.seq} was written before; its writer tried again`,
      });
      continue;
    }
    const missing = event.seq - seq - 1;
    if (missing > 0) {
      const at = torn === null ? `before line ${k + 1}` : `line ${torn}`;
      const what = missing === 1 ? `event ${seq + 1} is` : `events ${seq + 1} to ${event.seq - 1} are`;
      damaged(torn ?? k + 1, `${what} lost (${at}); what it said is not known`);
    } else if (event.before !== head) {
      damaged(
        lastLine || k + 1,
        `line ${lastLine} was changed after it was written: the next event has another digest of it`,
      );
    }
    events.push(event);
    seq = event.seq;
    head = digestOf(line);
    lastLine = k + 1;
    torn = null;
  }
  return { events, faults, seq, head, isWhole };

  function damaged(line: number, reason: string): void {
    const same = faults.findIndex((fault) => fault.line === line && fault.kind === 'torn');
    if (same >= 0) faults.splice(same, 1);
    faults.push({ line, kind: 'damaged', reason });
  }
}

const registryNewer = (place: string, format: number, line: number) =>
  registryError(
    'ERR_FORMAT' as never,
    `${place}: expected events of format ${FORMAT}, got ${format} in line ${line} of log.jsonl; a newer version wrote it: update this one`,
  );

/** The event of a line; null for what is none. */
function eventOf(line: string): RegistryEvent | null {
  let value: Partial<RegistryEvent> | null;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (value === null || typeof value !== 'object') return null;
  const { format, seq, before, id, event, at, by } = value;
  const isEvent =
    Number.isInteger(format) &&
    Number.isSafeInteger(seq) &&
    seq! > 0 &&
    [before, id, event, at, by].every((text) => typeof text === 'string');
  return isEvent ? (value as RegistryEvent) : null;
}
