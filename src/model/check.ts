import { LogoddsError } from '../../bindings/errors.ts';
import type { Feature, Schema } from '../encode/schema.ts';
import type { Manifest } from './manifest.ts';
import type { Stages } from './stages.ts';

type Test = (value: unknown) => boolean;

/**
 * How a JSON value must look: a test, "a|b" one of these words, [shape] an array of any length, an object its fields
 * (others may be there too).
 */
type Shape = Test | string | readonly [Shape] | { readonly [field: string]: Shape };

const isString: Test = (value) => typeof value === 'string';
const isIndex: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber: Test = Number.isFinite;
const isStringOrNull: Test = (value) => value === null || isString(value);
const isStringOrAbsent: Test = (value) => value === undefined || isString(value);

const FEATURE = { name: isString, kind: isString, column: isStringOrAbsent, reason: isStringOrAbsent };
const NUMERIC: Shape = {
  mean: isNumber,
  scale: isNumber,
  min: isNumber,
  max: isNumber,
  indicator: (value) => typeof value === 'boolean',
};
const CATEGORICAL: Shape = {
  levels: [isString],
  counts: [isNumber],
  coding: 'onehot|treatment',
  reference: (value) => value === null || isIndex(value),
  missing: 'slot|baseline|mode|error',
  unseen: 'slot|baseline|error',
};

/** What scoring reads is checked to the last field; what is only reported must be there. */
const MANIFEST: Shape = {
  format: isIndex,
  producer: isString,
  classes: [isString],
  positive: isStringOrNull,
  target: isString,
  schema: { features: [FEATURE] },
  objective: {},
  decision: { threshold: isNumber },
  offset: isStringOrNull,
  weight: isStringOrNull,
  fit: {},
  aliased: [isIndex],
  warnings: [{}],
};

/**
 * Checks what a manifest must be, so that nothing after it has to.
 * @throws ERR_FORMAT naming the first field that is not as it must be
 */
export function checkManifest(value: unknown, stages: Stages): asserts value is Manifest {
  const wrong = findWrong(value, MANIFEST);
  must(wrong === null, `manifest${wrong}`);
  const { classes, positive, schema, offset, multiclass, reference } = value as Manifest;
  // multiclass and reference are absent from the first files of two classes
  must(
    distinct(classes) &&
      (reference == null || (multiclass === 'multinomial' && classes.includes(reference))) &&
      (positive === null
        ? classes.length > 2 && offset === null && (multiclass === 'multinomial' || multiclass === 'ovr')
        : classes.length === 2 && classes.includes(positive) && multiclass == null),
    'manifest.classes',
  );
  must(distinct([...schema.features.map((feature) => feature.name), offset]), 'manifest.schema.features');
  // where the stage is not there `Model` says so
  const field = stages.outcomes?.findWrong(value as Manifest);
  must(field == null, `manifest.${field}`);
  schema.features.forEach((feature, i) => {
    const part = findWrongIn(feature, schema, stages);
    if (part !== null) must(false, `manifest.schema.features.${i}${part}`);
  });
}

/** Where a feature is not as its kind must be, as `findWrong` says it. */
function findWrongIn(feature: Feature, schema: Schema, { encoders }: Stages): string | null {
  if (feature.kind === 'numeric') return findWrong(feature, NUMERIC) ?? (feature.scale > 0 ? null : '');
  if (feature.kind !== 'categorical') {
    // where the stage is not there `Encoder` says so
    const valid = encoders?.[feature.kind]?.valid;
    return !encoders || valid?.(feature as never, schema) ? null : valid ? '' : '.kind';
  }
  const { levels, counts, coding, reference, rare = [] } = feature;
  return (
    findWrong(feature, CATEGORICAL) ??
    findWrong({ rare }, { rare: [isString] }) ??
    (levels.length > 0 &&
    counts.length === levels.length + 1 &&
    distinct([...levels, ...rare]) &&
    (coding === 'onehot') === (reference === null) &&
    (reference ?? 0) < levels.length
      ? null
      : '')
  );
}

/** Where a value first differs from a shape: "" itself, ".0.name" a part; null when nowhere. No path is built for what fits. */
function findWrong(value: unknown, shape: Shape): string | null {
  if (typeof shape === 'function') return shape(value) ? null : '';
  if (typeof shape === 'string') return shape.split('|').includes(value as string) ? null : '';
  const isArray = Array.isArray(shape);
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== isArray) return '';
  let wrong: string | null = null;
  if (isArray) {
    // by number: a list of its keys would be larger than the file
    for (let i = 0; i < (value as unknown[]).length; i++) {
      wrong = findWrong((value as unknown[])[i], shape[0]);
      if (wrong !== null) return `.${i}${wrong}`;
    }
  } else {
    for (const key in shape) {
      wrong = findWrong((value as Record<string, unknown>)[key], (shape as Record<string, Shape>)[key]);
      if (wrong !== null) return `.${key}${wrong}`;
    }
  }
  return null;
}

const distinct = (names: readonly (string | null)[]): boolean => new Set(names).size === names.length;

function must(valid: boolean | undefined, path: string): void {
  if (!valid) {
    throw new LogoddsError(
      'ERR_FORMAT',
      `model file: expected a valid ${path}, got something else; train the model again`,
      { reason: 'invalid' },
    );
  }
}
