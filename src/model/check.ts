import { LogoddsError } from '../../bindings/errors.ts';
import type { Manifest } from './manifest.ts';

/**
 * How a JSON value must look: a type name ("number" is finite, "index" an integer ≥ 0), "=a|b" one of these words,
 * a trailing "?" allows null; [shape] an array; an object its fields.
 */
type Shape = string | readonly [Shape] | { readonly [field: string]: Shape };

const FEATURE = { name: 'string', kind: '=numeric|categorical' };
const NUMERIC = { mean: 'number', scale: 'number', min: 'number', max: 'number', indicator: 'boolean' };
const CATEGORICAL = {
  levels: ['string'],
  counts: ['number'],
  coding: '=onehot|treatment',
  reference: 'index?',
  missing: '=slot|mode',
  unseen: '=slot|error',
} as const;

/** What scoring reads is checked to the last field; what is only reported must be there. */
const MANIFEST: Shape = {
  format: 'index',
  producer: 'string',
  classes: ['string'],
  positive: 'string',
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
export function checkManifest(value: unknown): asserts value is Manifest {
  checkShape(value, MANIFEST, 'manifest');
  const { classes, positive, schema } = value as Manifest;
  must(classes.length === 2 && classes[0] !== classes[1] && classes.includes(positive), 'manifest.classes');
  must(distinct(schema.features.map((feature) => feature.name)), 'manifest.schema.features');
  schema.features.forEach((feature, i) => {
    const path = `manifest.schema.features.${i}`;
    if (feature.kind === 'numeric') {
      checkShape(feature, NUMERIC, path);
      must(feature.scale > 0, path);
    } else {
      checkShape(feature, CATEGORICAL, path);
      const { levels, counts, coding, reference } = feature;
      must(
        levels.length > 0 &&
          distinct(levels) &&
          counts.length === levels.length + 1 &&
          (coding === 'onehot') === (reference === null) &&
          (reference ?? 0) < levels.length,
        path,
      );
    }
  });
}

function checkShape(value: unknown, shape: Shape, path: string): void {
  if (typeof shape !== 'string') {
    const isArray = Array.isArray(shape);
    must(typeof value === 'object' && value !== null && Array.isArray(value) === isArray, path);
    const fields = value as Record<string, unknown>;
    for (const key of Object.keys(isArray ? fields : shape)) {
      checkShape(fields[key], isArray ? shape[0] : (shape as Record<string, Shape>)[key], `${path}.${key}`);
    }
  } else if (value !== null || !shape.endsWith('?')) {
    const type = shape.replace('?', '');
    must(
      type[0] === '='
        ? type
            .slice(1)
            .split('|')
            .includes(value as string)
        : type === 'number'
          ? Number.isFinite(value)
          : type === 'index'
            ? Number.isSafeInteger(value) && (value as number) >= 0
            : typeof value === type,
      path,
    );
  }
}

const distinct = (names: readonly string[]): boolean => new Set(names).size === names.length;

function must(valid: boolean, path: string): void {
  if (!valid) {
    throw new LogoddsError(
      'ERR_FORMAT',
      `model file: expected a valid ${path}, got something else; train the model again`,
    );
  }
}
