import { LogoddsError } from '../../bindings/errors.ts';
import type { Manifest } from './manifest.ts';
import type { Stages } from './stages.ts';

/**
 * How a JSON value must look: a name of TYPES, "=a|b" one of these words, [shape] an array of any length, an object its
 * fields (others may be there too).
 */
type Shape = string | readonly [Shape] | { readonly [field: string]: Shape };

type Test = (value: unknown) => boolean;
const isString: Test = (value) => typeof value === 'string';
const isIndex: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const TYPES: Readonly<Record<string, Test>> = {
  string: isString,
  index: isIndex,
  number: Number.isFinite,
  boolean: (value) => typeof value === 'boolean',
  'string?': (value) => value === null || isString(value),
  'text?': (value) => value === undefined || isString(value),
  'index?': (value) => value === null || isIndex(value),
};

const FEATURE = { name: 'string', kind: 'string', column: 'text?', reason: 'text?' };
const NUMERIC = { mean: 'number', scale: 'number', min: 'number', max: 'number', indicator: 'boolean' };
const CATEGORICAL = {
  levels: ['string'],
  counts: ['number'],
  coding: '=onehot|treatment',
  reference: 'index?',
  missing: '=slot|baseline|mode|error',
  unseen: '=slot|baseline|error',
} as const;

/** What scoring reads is checked to the last field; what is only reported must be there. */
const MANIFEST: Shape = {
  format: 'index',
  producer: 'string',
  classes: ['string'],
  positive: 'string?',
  target: 'string',
  schema: { features: [FEATURE] },
  objective: {},
  decision: { threshold: 'number' },
  offset: 'string?',
  weight: 'string?',
  fit: {},
  aliased: ['index'],
  warnings: [{}],
};

/**
 * Checks what a manifest must be, so that nothing after it has to.
 * @throws ERR_FORMAT naming the first field that is not as it must be
 */
export function checkManifest(value: unknown, stages: Stages): asserts value is Manifest {
  checkShape(value, MANIFEST, 'manifest');
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
  const wrong = stages.outcomes?.findWrong(value as Manifest);
  must(wrong == null, `manifest.${wrong}`);
  schema.features.forEach((feature, i) => {
    const path = `manifest.schema.features.${i}`;
    if (feature.kind === 'numeric') {
      checkShape(feature, NUMERIC, path);
      must(feature.scale > 0, path);
    } else if (feature.kind !== 'categorical') {
      // where the stage is not there `Encoder` says so
      const { encoders } = stages;
      const valid = encoders?.[feature.kind]?.valid;
      must(!encoders || valid?.(feature as never, schema), valid ? path : `${path}.kind`);
    } else {
      checkShape(feature, CATEGORICAL, path);
      const { levels, counts, coding, reference, rare = [] } = feature;
      checkShape(rare, ['string'], `${path}.rare`);
      must(
        levels.length > 0 &&
          counts.length === levels.length + 1 &&
          distinct([...levels, ...rare]) &&
          (coding === 'onehot') === (reference === null) &&
          (reference ?? 0) < levels.length,
        path,
      );
    }
  });
}

function checkShape(value: unknown, shape: Shape, path: string): void {
  const wrong = findWrong(value, shape);
  must(wrong === null, path + wrong);
}

/** Where a value first differs from a shape: "" itself, ".0.name" a part; null when nowhere. No path is built for what fits. */
function findWrong(value: unknown, shape: Shape): string | null {
  if (typeof shape === 'string') {
    const valid =
      TYPES[shape] ??
      ((word) =>
        shape
          .slice(1)
          .split('|')
          .includes(word as string));
    return valid(value) ? null : '';
  }
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
