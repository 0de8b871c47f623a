import { LogoddsError } from '../../bindings/errors.ts';
import type { Feature } from '../encode/schema.ts';
import { show } from '../messages.ts';
import type { Model } from '../model/model.ts';
import { allText } from './all.generated.ts';
import { encodeSource } from './fields.ts';
import { literal } from './literal.ts';
import { outcomesText } from './outcomes.generated.ts';
import { plainText } from './plain.generated.ts';
import type { Needed } from './runtime.ts';
import { type ExportTypes, isStraight, scoreSource } from './scores.ts';

/** How `compile` writes a module. */
export interface CompileOptions {
  /** `js` (default): JavaScript; `ts`: TypeScript, with types of what the module exports */
  readonly format?: 'js' | 'ts';
}

/**
 * Returns the source of a module that scores records of one model by straight code: fields are read by name, labels looked up in a table of each
 * field, and the terms of the logit added in the order of the columns. The module stands alone: it imports nothing and evaluates no text. The same
 * model gives the same source.
 *
 *   score(record)        as `Model.score`: the same bits, and the same errors
 *   probability(record)  the `probability` of the score alone; with two classes it makes no object
 *   sha256               digest of the model's file; null for a model that comes from no file
 *   classes, features    the labels of the classes, the names of the features
 *
 * Its errors have name, code, message, problems and detail of a `LogoddsError`, but are of a class of the module, so test `error.code`, not
 * `instanceof`. Write the source to a file in a build step.
 * @param model  a model, which may need any stage
 * @throws ERR_RANGE when it is no model, for another format, and for other options
 * @example
 * const source = compile(model);
 * source.includes('export function score(record) {'); // true
 * compile(model, { format: 'ts' }).includes('export function score(record: object): Score {'); // true
 */
export function compile(model: Model, options?: CompileOptions): string {
  const { format = 'js', ...others } = options ?? {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new LogoddsError('ERR_RANGE', `compile: expected the option format, got ${show(unknown)}; leave it out`);
  if (!Object.hasOwn(FORMATS, format)) {
    throw new LogoddsError('ERR_RANGE', `format: expected js or ts, got ${show(format)}`);
  }
  if (!(model?.weights instanceof Float64Array && model.manifest?.schema)) {
    throw new LogoddsError('ERR_RANGE', `compile: expected a model, got ${show(model)}; load one with loadModel`);
  }
  const { manifest, weights, intercept, sha256, encoder } = model;
  const { head, fact, list, ...types } = FORMATS[format];
  const names = manifest.schema.features.map(({ name }) => name);
  return `// Scores records of one model. Written by compile of logodds: compile the model again instead of editing this.
${head}export const sha256${fact} = ${literal(sha256)};
export const classes${list} = ${literal(manifest.classes)};
export const features${list} = ${literal(names)};
const prepare = (() => {${runtimeOf(manifest)}})();
const weights = new Float64Array(${literal([...weights])});
const { bounded, calibrated, cross, expect, lost, number, read, refuse, scoreOf, sigmoid, sum, table } = prepare(
  ${literal(neededOf(manifest))},
  weights,
  new Float64Array(${literal([...intercept])}),
);
${encodeSource(model)}
${scoreSource(manifest, encoder.sources || 1, types)}
`;
}

/** What a format writes beside the code. */
interface Format extends ExportTypes {
  readonly head: string;
  /** types of the digest and of lists */
  readonly fact: string;
  readonly list: string;
}

const FORMATS: Readonly<Record<'js' | 'ts', Format>> = {
  js: { head: '', fact: '', list: '', record: '', score: '', probability: '' },
  ts: {
    head: `// @ts-nocheck
/** As the RecordScore of logodds. */
export interface Score {
  readonly logit: number;
  readonly probability: number;
  readonly label: string;
  readonly defaulted: number;
  readonly outOfRange: number;
  readonly review?: boolean;
  readonly logits?: Float64Array;
  readonly probabilities?: Float64Array;
}
`,
    fact: ': string | null',
    list: ': readonly string[]',
    record: ': object',
    score: ': Score',
    probability: ': number',
  },
};

/** The smallest runtime that has what a model needs. */
function runtimeOf({ positive, calibration, schema }: Needed): string {
  if (schema.features.some(({ kind }) => kind !== 'numeric' && kind !== 'categorical')) return allText;
  return positive === null || !isStraight(calibration) ? outcomesText : plainText;
}

/** What scoring reads of a manifest. */
function neededOf({ classes, positive, multiclass, calibration, decision, offset, schema }: Needed): Needed {
  const { threshold, costs, abstain } = decision;
  return {
    classes,
    positive,
    multiclass,
    calibration: calibration && { ...calibration, prior: undefined, by: null },
    decision: { threshold, costs, abstain },
    offset,
    schema: { features: schema.features.map(slim) },
  };
}

/** A feature without what only training and reports read; counts of training rows stay where a default follows from them. */
function slim(feature: Feature): Feature {
  const { reason, ...needed } = feature;
  if (needed.kind === 'numeric') return { ...needed, scale: 1 };
  const counted = needed.kind !== 'categorical' || needed.missing === 'mode' || needed.reference === null;
  return counted ? needed : { ...needed, counts: [] };
}
