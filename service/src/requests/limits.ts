import type { JsonScan } from 'logodds/bytes';
import { badRequest, Refusal } from '../refusal.ts';
import { scanOfHost } from './jsonScan.ts';

/** What a request may hold and how long it may take. */
export interface Limits {
  /** bytes of a body that is read whole, after it was inflated; default 16 MiB. Streams have no end. */
  readonly bytes: number;
  /** inflated bytes for each byte that was sent, from the first MiB on; default 256 */
  readonly inflation: number;
  /** rows of a body that is read whole; default 131,072 */
  readonly rows: number;
  /** tensors, columns of CSV, or keys of an object; default 16,384 */
  readonly features: number;
  /** values of a tensor; default 4,194,304 */
  readonly values: number;
  /** arrays and objects in one another; default 64 */
  readonly depth: number;
  /** bytes of a line of a stream; default 1 MiB */
  readonly line: number;
  /** milliseconds until a body that is read whole must be there, and its turn have come; default: no end */
  readonly timeMs: number;
}

export const LIMITS: Limits = {
  bytes: 2 ** 24,
  inflation: 256,
  rows: 2 ** 17,
  features: 2 ** 14,
  values: 2 ** 22,
  depth: 64,
  line: 2 ** 20,
  timeMs: Number.POSITIVE_INFINITY,
};

/** What is longer than a limit. @param next  what to do instead */
export const tooLarge = (what: string, most: number, unit: string, next: string): Refusal =>
  new Refusal(413, 'ERR_LIMIT', `${what}: expected at most ${most} ${unit}, got more; ${next}`);

const tooManyRows = ({ rows }: Limits): Refusal =>
  tooLarge('rows', rows, 'in a request', 'send fewer, or a stream of JSON lines');

const tooManyFeatures = (what: string, { features }: Limits): Refusal =>
  badRequest(`${what}: expected at most ${features}, got more; leave out what the model does not read`);

/** @throws Refusal 413 */
export function checkRows(rows: number, limits: Limits): void {
  if (rows > limits.rows) throw tooManyRows(limits);
}

/** @throws Refusal 400 */
export function checkFeatures(what: string, count: number, limits: Limits): void {
  if (count > limits.features) throw tooManyFeatures(what, limits);
}

const [QUOTE, BACKSLASH, COMMA, LF] = [0x22, 0x5c, 0x2c, 0x0a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Depth that a scan of the host knows. */
const MOST_SCANNED = 1024;

const tooDeep = ({ depth }: Limits): Refusal =>
  badRequest(`body: expected JSON nested at most ${depth} deep, got deeper; send flat records`);

/** What is said of each limit of JSON. */
const EXCESS = {
  depth: tooDeep,
  keys: (limits: Limits) => tooManyFeatures('keys of an object', limits),
  elements: tooManyRows,
};

/**
 * Checks JSON before it is read: depth, keys of each object, and rows, which are the elements of an array or of its members. It sees brackets, commas and
 * texts alone; what is no JSON is for the reader.
 * @param scan  null: JavaScript looks through it
 * @throws Refusal 400, 413
 */
export function checkJson(bytes: Uint8Array, limits: Limits, scan: JsonScan | null = scanOfHost()): void {
  const { depth, features: keys, rows: elements } = limits;
  const excess =
    scan && depth <= MOST_SCANNED ? scan.excess(bytes, { depth, keys, elements }) : excessOf(bytes, limits);
  if (excess) throw EXCESS[excess](limits);
}

/** The first limit that JSON passes. */
function excessOf(bytes: Uint8Array, { depth: most, features, rows }: Limits): keyof typeof EXCESS | null {
  /** of each level how many more elements it may have */
  const left: number[] = [];
  const isList: boolean[] = [];
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = endOfText(bytes, i + 1);
    else if (byte === COMMA) {
      if (depth > 0 && --left[depth] < 1) return isList[depth] ? 'elements' : 'keys';
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (++depth > most) return 'depth';
      isList[depth] = byte === OPEN_LIST;
      left[depth] = byte === OPEN_OBJECT ? features : depth <= 2 ? rows : Number.POSITIVE_INFINITY;
    } else if ((byte === CLOSE_OBJECT || byte === CLOSE_LIST) && depth > 0) depth--;
  }
  return null;
}

/** The index of the quote that ends a text. */
function endOfText(bytes: Uint8Array, from: number): number {
  for (let i = from; i < bytes.length; i++) {
    if (bytes[i] === BACKSLASH) i++;
    else if (bytes[i] === QUOTE) return i;
  }
  return bytes.length;
}

/** Checks CSV that is whole before it is read: its rows, and the columns of its header. @throws Refusal 400, 413 */
export function checkCsv(bytes: Uint8Array, limits: Limits): void {
  new CsvHead(limits).add(bytes);
  let rows = -1;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) rows++;
  // what stands in quotes counts too: a limit is no count
  checkRows(rows, limits);
}

/** Counts the columns of the header of CSV, which may come in pieces. */
export class CsvHead {
  readonly #limits: Limits;
  #columns = 1;
  #isText = false;
  #isOver = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws Refusal 400 */
  add(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length && !this.#isOver; i++) {
      const byte = bytes[i];
      if (byte === QUOTE) this.#isText = !this.#isText;
      else if (byte === COMMA && !this.#isText) checkFeatures('columns', ++this.#columns, this.#limits);
      else if (byte === LF && !this.#isText) this.#isOver = true;
    }
  }
}

/** Measures lines that come in pieces. */
export class LineLength {
  readonly #limits: Limits;
  /** bytes of the line that is not over */
  #rest = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws Refusal 413 */
  add(bytes: Uint8Array): void {
    const first = bytes.indexOf(LF);
    this.#check(this.#rest + (first < 0 ? bytes.length : first));
    if (first < 0) {
      this.#rest += bytes.length;
      return;
    }
    this.#rest = bytes.length - 1 - bytes.lastIndexOf(LF);
    this.#check(this.#rest);
    if (bytes.length <= this.#limits.line) return;
    for (let at = first; at >= 0; ) {
      const next = bytes.indexOf(LF, at + 1);
      if (next >= 0) this.#check(next - at - 1);
      at = next;
    }
  }

  #check(length: number): void {
    const { line } = this.#limits;
    if (length > line) throw tooLarge('line', line, 'bytes', 'is an LF missing?');
  }
}

/** The chunks of lines, none of which is too long. @param isCsv  whether the first line names columns @throws Refusal */
export async function* withinLimits(
  chunks: AsyncGenerator<Uint8Array>,
  limits: Limits,
  isCsv: boolean,
): AsyncGenerator<Uint8Array> {
  const lines = new LineLength(limits);
  const head = isCsv ? new CsvHead(limits) : null;
  for await (const chunk of chunks) {
    lines.add(chunk);
    head?.add(chunk);
    yield chunk;
  }
}
