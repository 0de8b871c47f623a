import type { ColumnsBatch } from '../../../../bindings/columnsBatch.ts';
import type { CheckedTable } from '../../../encode/checkedTable.ts';
import type { Part } from '../../../encode/coder.ts';
import type { DeclaredCross, DeclaredFeature } from '../../../encode/declare.ts';
import { Encoder } from '../../../encode/encoder.ts';
import { type InferOptions, referenceIndex } from '../../../encode/infer.ts';
import { datesOf } from '../../../encode/kinds/dates.ts';
import { encoders } from '../../../encode/kinds/index.ts';
import type { CategoricalFeature, Dated, DatePart, Feature, Schema } from '../../../encode/schema.ts';
import type { Column, NumericColumn } from '../../../encode/table.ts';

/** A declared feature that reads a column. */
export type DeclaredSource = Exclude<DeclaredFeature, DeclaredCross>;

/** A declared feature, and the range of its dates if it is known already. */
export type Ranged<T> = T & Pick<Dated, 'dates'>;

export const columnOf = (declared: DeclaredSource): string => declared.column ?? declared.name;

/** Numbers of rows, and the weights of these rows. */
export interface Sample {
  readonly values: Float64Array;
  readonly weights: Float64Array | null;
}

/** The rows that a schema is resolved on, and the default policies of features. */
export class TrainingRows {
  readonly rows: number;
  readonly weight: Float64Array | null;
  readonly options: InferOptions;
  readonly #table: CheckedTable;

  constructor(table: CheckedTable, options: InferOptions) {
    this.rows = table.rows;
    this.weight = options.weight ?? null;
    this.options = options;
    this.#table = table;
  }

  column(declared: DeclaredSource): Column {
    return this.#table.column(columnOf(declared));
  }

  /** First and last date of a column that is read as dates. */
  datesOf(declared: DeclaredSource & Pick<Dated, 'unit'>): Dated['dates'] {
    return datesOf(declared, this.column(declared), this.rows, this.weight);
  }

  /** How a feature reads dates, if it does. */
  dated<T extends DeclaredSource & Dated & { readonly part?: DatePart }>(
    declared: T,
  ): Dated & { readonly part?: DatePart } {
    const { part, unit, dates = part && this.datesOf(declared) } = declared;
    return part === undefined ? {} : { part, ...(unit && { unit }), ...(dates && { dates }) };
  }

  /** The value of a missing number. */
  get gaps(): 'slot' | 'baseline' {
    return this.options.missing === 'mode' ? 'baseline' : 'slot';
  }

  /**
   * Weight of each code, then of missing cells.
   * @param codeOf  null: the row does not count
   */
  counts(codes: number, { missing }: Pick<Column, 'missing'>, codeOf: (row: number) => number | null): number[] {
    const counts = new Array<number>(codes + 1).fill(0);
    for (let i = 0; i < this.rows; i++) {
      const s = this.weight ? this.weight[i] : 1;
      if (s === 0) continue;
      const code = missing?.[i] ? codes : codeOf(i);
      if (code !== null) counts[code] += s;
    }
    return counts;
  }

  /** The cells that are not missing, of rows of positive weight. */
  present({ values, missing }: NumericColumn): Sample {
    const { weight } = this;
    const rows: number[] = [];
    for (let i = 0; i < this.rows; i++) if (!missing?.[i] && !(weight && weight[i] === 0)) rows.push(i);
    return {
      values: Float64Array.from(rows, (i) => values[i]),
      weights: weight && Float64Array.from(rows, (i) => weight[i]),
    };
  }

  /** @throws ERR_RANGE for a reference that is not a level */
  coding(
    name: string,
    levels: readonly string[],
    { coding, reference }: { readonly coding?: 'onehot' | 'treatment'; readonly reference?: string } = {},
  ): Pick<CategoricalFeature, 'coding' | 'reference'> {
    const { references = {} } = this.options;
    const named = reference ?? (Object.hasOwn(references, name) ? references[name] : undefined);
    const used = coding ?? (reference !== undefined ? 'treatment' : this.options.coding);
    if (used === 'onehot') return { coding: 'onehot', reference: null };
    return {
      coding: 'treatment',
      reference: referenceIndex(name, levels, named === undefined ? {} : { [name]: named }),
    };
  }

  /**
   * The code of each row in the one coded column of a feature.
   * @param parts  the features of a cross
   */
  codesOf(feature: Feature, parts: readonly Feature[] = []): Uint32Array {
    const { rows } = this;
    const encoder = new Encoder(lenient({ features: [...parts, feature] }), encoders);
    const columns = new Map<number, Float64Array | Uint32Array>();
    const column = <T extends Float64Array | Uint32Array>(j: number, make: () => T): T => {
      if (!columns.has(j)) columns.set(j, make());
      return columns.get(j) as T;
    };
    const batch: Part['batch'] & Pick<ColumnsBatch, 'rows'> = {
      rows,
      numeric: (j) => column(j, () => new Float64Array(rows)),
      codes: (j) => column(j, () => new Uint32Array(rows)),
    };
    encoder.encode(this.#table, batch as ColumnsBatch, { standardize: false });
    return batch.codes(encoder.specs.length - 1) as Uint32Array;
  }
}

/** Gives every feature a slot for unseen values, because rows of weight 0 may have levels that no counted row has. */
export function lenient({ features }: Schema): Schema {
  return {
    features: features.map((feature) =>
      'unseen' in feature && feature.unseen === 'error'
        ? {
            ...feature,
            unseen: feature.kind === 'target' || feature.kind === 'tokens' ? 'baseline' : ('slot' as never),
          }
        : feature,
    ),
  };
}
