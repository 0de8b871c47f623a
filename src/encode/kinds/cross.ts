import type { ColumnSpec } from '../../../bindings/columnsBatch.ts';
import { type Coder, type CoderKind, CROSS, type Part, type Slot } from '../coder.ts';
import { cellError, MEND } from '../columns.ts';
import type { CrossFeature, Feature, Schema } from '../schema.ts';
import { levelSlots } from '../slots.ts';
import type { Column } from '../table.ts';
import { defaultCode } from '../turn.ts';
import { distinctTexts, validLevels } from './valid.ts';

/** Combinations of the levels of other features. */
export const cross: CoderKind<CrossFeature> = {
  make: (feature, schema, columns) => new CrossCoder(feature.name, feature.of, knownCells(feature), schema, columns),
  valid: (feature, schema) => validLevels(feature) && validParts(feature.of, schema),
};

/** The slots of the cells of a cross. */
export interface Cells {
  readonly count: number;
  names(): readonly Slot[];
  /** slot of a cell by its name; −1: an error */
  slotOf(name: string): number;
  /** slots of cells with a missing part and with an unseen part; −1: an error */
  readonly defaults: readonly [missing: number, unseen: number];
}

/** A slot for each cell of training. */
function knownCells(feature: CrossFeature): Cells {
  const { levels } = feature;
  const codes = new Map(levels.map((level, code) => [level, code]));
  const unseen = defaultCode(feature, 'unseen');
  return {
    count: levels.length + 2,
    names: () => levelSlots(feature),
    slotOf: (name) => codes.get(name) ?? unseen,
    defaults: [defaultCode(feature, 'missing'), unseen],
  };
}

/** Largest number of cells of a cross that are cached. */
const MOST_KNOWN = 2 ** 18;

/** Codes of other features, as one code. */
export class CrossCoder implements Coder {
  readonly columns = [];
  readonly specs: readonly ColumnSpec[];
  readonly means = [];
  readonly scales = [];
  readonly #name: string;
  readonly #cells: Cells;
  /** columns of the parts, which may come after this one, so they are set when all coders exist */
  readonly #places: () => readonly number[];
  #at: readonly number[] | null = null;
  readonly #levels: readonly (readonly string[])[];
  /** cached cells by their number; null: there are more than 2^53 numbers */
  readonly #known: Map<number, number> | null;

  constructor(name: string, of: readonly string[], cells: Cells, schema: Schema, columns: readonly number[]) {
    this.specs = [{ kind: 'coded', slots: cells.count }];
    this.#name = name;
    this.#cells = cells;
    const parts = of.map((part) => placeOf(schema, part));
    this.#places = () => parts.map((part) => columns[part]);
    this.#levels = parts.map((part) => levelsOf(schema.features[part])!);
    const numbers = this.#levels.reduce((product, { length }) => product * (length + 2), 1);
    this.#known = numbers <= Number.MAX_SAFE_INTEGER ? new Map() : null;
  }

  slots(): readonly Slot[] {
    return this.#cells.names();
  }

  write(_: readonly Column[], { rows, firstRow, batch }: Part, at: number): void {
    const out = batch.codes(at);
    this.#at ??= this.#places();
    const parts = this.#at.map((column) => batch.codes(column));
    const codes = new Array<number>(parts.length);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < parts.length; j++) codes[j] = parts[j][i];
      out[i] = this.#slot(codes, firstRow + i);
    }
  }

  writeRecord(_: unknown, out: Float64Array, at: number): number {
    this.#at ??= this.#places();
    out[at] = this.#slot(
      this.#at.map((column) => out[column]),
      null,
    );
    return 0;
  }

  #slot(codes: readonly number[], row: number | null): number {
    const levels = this.#levels;
    let cell = 0;
    let gap = -1;
    for (let j = 0; j < codes.length; j++) {
      const past = codes[j] - levels[j].length;
      // a missing part takes precedence over an unseen one
      if (past >= 0 && gap !== 0) gap = past;
      cell = cell * (levels[j].length + 2) + codes[j];
    }
    const known = gap < 0 ? this.#known?.get(cell) : this.#cells.defaults[gap];
    if (known !== undefined && known >= 0) return known;
    const name = codes.map((code, j) => levels[j][code] ?? 'nothing').join(CROSS);
    const slot = gap < 0 ? this.#cells.slotOf(name) : -1;
    if (slot < 0) throw cellError(row, this.#name, 'a combination seen in training', name, MEND);
    // the cache is bounded, because a server meets new cells for years
    if (this.#known && this.#known.size < MOST_KNOWN) this.#known.set(cell, slot);
    return slot;
  }
}

/** The levels of a feature that may be a part of a cross; null: it has none. */
export function levelsOf(feature: Feature): readonly string[] | null {
  return feature.kind === 'categorical' || feature.kind === 'binned' || feature.kind === 'date' ? feature.levels : null;
}

const places = /* @__PURE__ */ new WeakMap<Schema, Map<string, number>>();

/** Index of the feature of a name; −1 without one. */
function placeOf(schema: Schema, name: string): number {
  let known = places.get(schema);
  if (!known) {
    known = new Map(schema.features.map((feature, i) => [feature.name, i]));
    places.set(schema, known);
  }
  return known.get(name) ?? -1;
}

/** Combinations of two or more features with levels. */
export function validParts(of: unknown, schema: Schema): boolean {
  if (!distinctTexts(of) || (of as string[]).length < 2) return false;
  const parts = (of as string[]).map((name) => schema.features[placeOf(schema, name)]);
  return parts.every((part) => part !== undefined && Array.isArray(levelsOf(part)));
}
