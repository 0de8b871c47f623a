import { ColumnsBatch } from '../../bindings/columnsBatch.ts';
import { sigmoid } from '../../bindings/js/math.ts';
import { planeStride } from '../../bindings/layout.ts';
import {
  CsvScanner,
  copy,
  JsonScanner,
  type ScannedField,
  type Scanner,
  type ScannerKernels,
} from '../../bindings/scanner.ts';
import type { ScoringEngine } from '../../bindings/scoring.ts';
import { OUTSIDE } from '../encode/coder.ts';
import type { NumericFeature } from '../encode/schema.ts';
import { put, recordNumber, type Turn } from '../encode/turn.ts';
import type { Model } from '../model/model.ts';
import type { RecordScore } from '../model/scores.ts';
import { needsOutcomes } from '../model/stages.ts';
import type { CsvInput } from './csv.ts';
import { noScores } from './scores.ts';

/** Rows of a part: as many as stay in the caches with their bytes; columns a power of two apart would share cache sets. */
const ROWS = 1000;
/** Bytes that are read at a time, at first. */
const WINDOW = 2 ** 17;
/** `{` */
const OPEN = 0x7b;

/** A field that the host encodes, with what reads it. */
interface Read {
  readonly field: number;
  readonly turns: readonly Turn[];
  readonly isOffset: boolean;
}

/** Memory of an engine in which parts of the input are read and scored. */
export class Room {
  readonly json: JsonScanner;
  readonly capacity = ROWS;
  readonly #kernels: ScannerKernels;
  readonly #fields: readonly ScannedField[];
  /** of the CSV that is read */
  #csv: CsvScanner | null = null;
  readonly #model: Model;
  readonly #engine: ScoringEngine;
  readonly #batch: ColumnsBatch<'f64'>;
  readonly #weights;
  readonly #z;
  readonly #reads: readonly Read[];
  readonly #hasOffset: boolean;
  readonly #positive: number;
  readonly #negative: string;
  readonly #entries: Float64Array;
  /** of each column, where row 0 is among numbers of its size, and the bytes of a code */
  readonly #cells: Uint32Array;
  readonly #codes: Uint8Array;
  /** of each row, what of the fields that the host encodes took a default or is out of range */
  readonly #counts: { readonly defaulted: Float64Array; readonly outside: Float64Array } | null;

  /** @throws ERR_MEMORY */
  constructor(model: Model, engine: ScoringEngine, kernels: ScannerKernels) {
    const { encoder, manifest, intercept, weights } = model;
    this.#model = model;
    this.#engine = engine;
    this.#batch = new ColumnsBatch(engine.heap, ROWS, encoder.specs, 'f64', true);
    const vectors = intercept.length;
    this.#weights = engine.weights(this.#batch, vectors);
    const { slots } = encoder;
    for (let k = 0; k < vectors; k++)
      this.#weights.set(k, [...weights.subarray(k * slots, (k + 1) * slots), intercept[k]]);
    this.#z = engine.vector(vectors * planeStride(ROWS));
    this.#hasOffset = manifest.offset !== null;
    this.#positive = manifest.classes.indexOf(manifest.positive!);
    this.#negative = manifest.classes.find((name) => name !== manifest.positive)!;
    this.#entries = new Float64Array(encoder.specs.length + 1);
    const columns = encoder.specs.map(({ kind }, j) =>
      kind === 'coded' ? this.#batch.codes(j) : this.#batch.numeric(j),
    );
    this.#cells = Uint32Array.from(columns, (column) => column.byteOffset / column.BYTES_PER_ELEMENT);
    this.#codes = Uint8Array.from(columns, (column) => column.BYTES_PER_ELEMENT);
    const { fields, reads } = fieldsOf(model);
    this.#reads = reads;
    const counted = reads.length > 0;
    this.#counts = counted ? { defaulted: new Float64Array(ROWS), outside: new Float64Array(ROWS) } : null;
    this.#kernels = kernels;
    this.#fields = fields;
    this.json = new JsonScanner(...this.#parts(fields));
  }

  #parts(fields: readonly ScannedField[]): ConstructorParameters<typeof Scanner> {
    const { sources } = this.#model.encoder;
    return [this.#engine.heap, this.#kernels, this.#batch, fields, this.#counts ? 1 : sources || 1, WINDOW];
  }

  /** A scanner of CSV with this header; null where none can read it. It lasts until the next one. */
  csv(input: CsvInput): CsvScanner | null {
    this.#csv?.free();
    this.#csv = null;
    const layout = input.layout(this.#fields);
    if (layout) this.#csv = new CsvScanner(layout, ...this.#parts(input.fields(this.#fields)));
    return this.#csv;
  }

  /** The value of a field that the host encodes. */
  #value(scanner: Scanner, input: CsvInput | null, field: number, row: number): unknown {
    const value = scanner.value(field, row);
    return input ? input.value(this.#fields[field].name, value as { bytes: Uint8Array } | null) : value;
  }

  /**
   * Scores the rows that a scanner has read. Of rows that are left to the host, and of those whose probability is NaN, the scores mean nothing.
   */
  score(rows: number, scanner: Scanner, input: CsvInput | null = null) {
    const { manifest, encoder, intercept, stages } = this.#model;
    const vectors = intercept.length;
    const plane = planeStride(rows);
    const batch = this.#batch;
    const z = this.#z;
    batch.setRows(rows);
    if (this.#reads.length > 0 || encoder.crosses.length > 0) this.#encode(rows, scanner, input);
    batch.logits(this.#engine.kernels, this.#weights, z);
    const { view } = z;
    const out = noScores(rows, this.#model);
    if (this.#hasOffset) for (let i = 0; i < rows; i++) view[i] += scanner.offset(i);
    const keep = (to: Float64Array): void => {
      for (let k = 0; k < vectors; k++) copy(view, k * plane, rows, to, k * rows);
    };
    keep(out.logits);
    if (needsOutcomes(manifest))
      stages.outcomes!.finish(manifest, view, plane, rows, out.labels, out.review, this.#engine, z);
    else {
      const { threshold } = manifest.decision;
      this.#engine.sigmoid(z, z, rows);
      for (let i = 0; i < rows; i++) out.labels[i] = view[i] > threshold ? this.#positive : 1 - this.#positive;
    }
    keep(out.probabilities);
    scanner.shares(rows, out.defaulted, out.outOfRange);
    for (let i = 0; this.#counts && i < rows; i++) {
      out.defaulted[i] = (out.defaulted[i] + this.#counts.defaulted[i]) / encoder.sources;
      out.outOfRange[i] = (out.outOfRange[i] + this.#counts.outside[i]) / encoder.sources;
    }
    return out;
  }

  /** The score of the one record in bytes; null: it is left to the host. */
  record(bytes: Uint8Array): RecordScore | null {
    const { json } = this;
    if (bytes[0] !== OPEN || !json.record(bytes)) return null;
    const { manifest, encoder, stages, intercept } = this.#model;
    const { calibration, decision, positive } = manifest;
    this.#batch.setRows(1);
    if (this.#reads.length > 0 || encoder.crosses.length > 0) {
      this.#encode(1, json, null);
      if (json.left > 0) return null;
    }
    const { sources } = encoder;
    let defaulted = json.defaulted(0);
    let outOfRange = json.outOfRange(0);
    if (this.#counts) {
      defaulted = (defaulted + this.#counts.defaulted[0]) / sources;
      outOfRange = (outOfRange + this.#counts.outside[0]) / sources;
    }
    let logit = this.#logit(0);
    if (this.#hasOffset) logit += json.offset(0);
    if (intercept.length > 1 || decision.abstain) {
      const logits = intercept.map((_, k) => (k === 0 ? logit : this.#logit(k)));
      const score = stages.outcomes!.record(manifest, logits, defaulted, outOfRange);
      return score.probability >= 0 ? score : null;
    }
    const probability = calibration ? stages.outcomes!.probability(calibration, logit) : sigmoid(logit);
    if (!(probability >= 0)) return null;
    const label = probability > decision.threshold ? positive! : this.#negative;
    return { logit, probability, label, defaulted, outOfRange };
  }

  /** x·w + intercept of weight vector k for row 0, where a call of a kernel takes longer than the sum. */
  #logit(k: number): number {
    const { encoder, weights, intercept } = this.#model;
    const { offsets, slots } = encoder;
    const { f64, u8, u16, u32 } = this.#engine.heap;
    const cells = this.#cells;
    const codes = this.#codes;
    const first = k * slots;
    let logit = intercept[k];
    for (let j = 0; j < offsets.length; j++) {
      const at = offsets[j];
      const cell = cells[j];
      if (at >= 0) logit += f64[cell] * weights[first + at];
      else {
        const size = codes[j];
        logit += weights[first + ~at + (size === 1 ? u8[cell] : size === 2 ? u16[cell] : u32[cell])];
      }
    }
    return logit;
  }

  /** Writes the columns of features beyond numbers and categories. */
  #encode(rows: number, scanner: Scanner, input: CsvInput | null): void {
    const { encoder } = this.#model;
    const batch = this.#batch;
    this.#counts?.defaulted.fill(0);
    this.#counts?.outside.fill(0);
    for (const read of this.#reads) {
      for (let row = 0; row < rows; row++) if (!scanner.isLeft(row)) this.#read(read, row, scanner, input);
    }
    const part = { rows, firstRow: 0, batch, standardize: false, defaulted: null, outOfRange: null };
    try {
      for (const { coder, at } of encoder.crosses) coder!.write([], part, at);
    } catch {
      // one of them is refused: the host says which
      for (let row = 0; row < rows; row++) scanner.leave(row);
    }
  }

  #read({ field, turns, isOffset }: Read, row: number, scanner: Scanner, input: CsvInput | null): void {
    const { encoder, manifest } = this.#model;
    const entries = this.#entries;
    try {
      const value = this.#value(scanner, input, field, row);
      let defaults = 0;
      for (const turn of turns) {
        defaults += put(turn, {}, value, entries);
        for (let j = turn.at; j < turn.at + widthOf(turn); j++) {
          const cells = encoder.specs[j].kind === 'coded' ? this.#batch.codes(j) : this.#batch.numeric(j);
          cells[row] = entries[j];
        }
      }
      if (isOffset) scanner.setOffset(row, recordNumber(manifest.offset!, value));
      const outside = Math.floor(defaults / OUTSIDE);
      this.#counts!.defaulted[row] += defaults - outside * OUTSIDE;
      this.#counts!.outside[row] += outside;
    } catch {
      // the host says what is wrong with it, and with the other fields
      scanner.leave(row);
    }
  }

  /** Gives back the memory. */
  free(): void {
    for (const part of [this.#batch, this.#weights, this.#z, this.json, this.#csv]) part?.free();
  }
}

/** Columns of a batch that a feature has. */
const widthOf = ({ coder, feature }: Turn): number =>
  coder ? coder.specs.length : feature.kind === 'numeric' && feature.indicator ? 2 : 1;

/** What the scanner reads for a model, and what of it the host encodes. */
function fieldsOf({ encoder, manifest: { offset } }: Model): { fields: ScannedField[]; reads: Read[] } {
  const byName = new Map<string, Turn[]>();
  for (const turn of encoder.turns) byName.set(turn.field, [...(byName.get(turn.field) ?? []), turn]);
  if (offset !== null && !byName.has(offset)) byName.set(offset, []);
  const reads: Read[] = [];
  const fields = [...byName].map(([name, turns], field): ScannedField => {
    if (turns.length === 0) return { name, kind: 'number', column: null };
    const [{ feature, at, codes, gap, unseen }] = turns;
    const isOffset = name === offset;
    if (turns.length === 1 && !isOffset && feature.kind === 'numeric') {
      const { mean, min, max, indicator } = feature as NumericFeature;
      return { name, kind: 'number', column: at, indicator: indicator ? at + 1 : null, mean, min, max };
    }
    if (turns.length === 1 && !isOffset && feature.kind === 'categorical')
      return { name, kind: 'label', column: at, labels: codes, gap, unseen };
    reads.push({ field, turns, isOffset });
    return { name, kind: 'any', column: null };
  });
  return { fields, reads };
}
