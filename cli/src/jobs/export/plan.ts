/** A model as straight arithmetic. The printers of target languages know nothing else of it. */

import { LogoddsError, type Manifest, type Model } from '../../../../src/index.ts';
import type { Num, Test } from './expression.ts';
import { crossOf, type Encoded, encodedOf, requiredNumber } from './features.ts';
import type { Column, Input, Step } from './parts.ts';

/** A model as arithmetic: steps in their order, then z = b + Σ columns in their order (+ the offset), then the outcome. */
export interface Plan extends Pick<Manifest, 'classes' | 'positive' | 'multiclass' | 'decision' | 'offset'> {
  readonly sha256: string | null;
  readonly calibration: NonNullable<Manifest['calibration']> | null;
  readonly inputs: readonly Input[];
  readonly steps: readonly Step[];
  readonly columns: readonly Column[];
  /** K × slots, vector after vector */
  readonly weights: Float64Array;
  readonly slots: number;
  /** length K */
  readonly intercept: Float64Array;
  /** features whose value was a default, and whose number was outside the range of training; shares are of `sources` */
  readonly defaulted: readonly Test[];
  readonly outOfRange: readonly Test[];
  readonly sources: number;
}

/** @throws ERR_FORMAT for a feature that no plan has, and for a field of two kinds, by name */
export function planOf(model: Pick<Model, 'manifest' | 'weights' | 'intercept' | 'sha256'>): Plan {
  const { manifest, weights, intercept, sha256 } = model;
  const { schema, classes, positive, multiclass, decision, offset, calibration = null } = manifest;
  const { features } = schema;
  const alone = features.map((feature) =>
    feature.kind === 'cross' || (feature.kind === 'hashed' && feature.of) ? null : encodedOf(feature),
  );
  // parts of a cross may stand behind it
  const codeOf = (name: string): Num => alone[features.findIndex((one) => one.name === name)]!.columns[0].value;
  const encoded = alone.map(
    (own, i): Encoded => own ?? crossOf(features[i] as Parameters<typeof crossOf>[0], features, codeOf),
  );
  const own = [...encoded, ...(offset === null ? [] : [requiredNumber(offset)])];
  const columns: Column[] = [];
  let slot = 0;
  for (const column of own.flatMap(({ columns }) => columns)) {
    columns.push({ ...column, slot });
    slot += column.slots;
  }
  return {
    ...{ sha256, classes, positive, multiclass, decision, offset, calibration },
    ...{ columns, weights, intercept, slots: slot },
    inputs: inputsOf(own),
    // a cross is made of what was checked
    steps: [...own.filter((_, i) => alone[i] !== null), ...own.filter((_, i) => alone[i] === null)].flatMap(
      ({ steps }) => steps,
    ),
    defaulted: own.flatMap(({ defaulted }) => defaulted ?? []),
    outOfRange: own.flatMap(({ outOfRange }) => outOfRange ?? []),
    sources: alone.filter((one) => one !== null).length || 1,
  };
}

/** The fields in the order in which they are first read. */
function inputsOf(own: readonly Encoded[]): Input[] {
  const found = new Map<string, Input>();
  for (const input of own.flatMap(({ inputs }) => inputs)) {
    const before = found.get(input.name);
    if (before && before.holds !== input.holds)
      throw new LogoddsError(
        'ERR_FORMAT',
        `field "${input.name}": expected one kind of value, got a model that reads it as ${before.holds} and as ${input.holds}; export to js`,
      );
    found.set(input.name, { ...input, mayMiss: input.mayMiss && (before?.mayMiss ?? true) });
  }
  return [...found.values()];
}
