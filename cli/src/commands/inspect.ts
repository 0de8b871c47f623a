import { coefficients, type Model } from '../../../src/index.ts';
import { baselineOf } from '../../../src/monitor.ts';
import { describeFeatures, type FeatureSummary } from '../figures/features.ts';
import { fitFacts, formula } from '../figures/model.ts';
import { bytes, counted, significant, whole, word } from '../figures/wording.ts';
import { JSON_OUTPUT, MODEL, REGISTRY } from '../options/shared.ts';
import type { OptionRow } from '../options/table.ts';
import { findModel, type ModelPlace } from '../read/models.ts';
import { summary } from '../terminal/coefficients.ts';
import { facts } from '../terminal/layout.ts';
import type { CommandLine } from './command.ts';
import { print, printJson } from './common.ts';

const OPTIONS: readonly OptionRow[] = [REGISTRY, JSON_OUTPUT];

export const inspect: CommandLine = {
  name: 'inspect',
  description: 'show the coefficients, objective and fit of a model',
  takes: [MODEL],
  options: OPTIONS,
  run,
};

async function run(given: string, { json, registry }: ModelPlace & { readonly json?: boolean }): Promise<void> {
  const model = await findModel(given, { registry });
  if (json) printJson(inspectJson(model));
  else print(inspectReport(model));
}

/** The object of `inspect --json`. */
export function inspectJson(model: Model): object {
  const { format, classes, positive, objective, fit, calibration = null, decision, schema } = model.manifest;
  const { lambda, l1Ratio, C, firth = false } = objective;
  return {
    format,
    sha256: model.sha256,
    classes,
    positive,
    objective: { lambda, l1Ratio, C, firth },
    coefficients: coefficients(model),
    fit,
    inference: model.manifest.inference ?? null,
    calibration,
    decision,
    features: describeFeatures(schema.features),
    ...(model.manifest.stack && { stack: model.manifest.stack }),
    baseline: baselineFigures(model),
  };
}

/** Kinds of features that their coefficients describe completely. */
const PLAIN = ['numeric', 'categorical'];

const featureFact = ({ name, reads, kind, detail }: FeatureSummary): readonly [string, string] => [
  `feature ${name}`,
  `${kind}${reads.join() === name ? '' : ` of ${reads.map(word).join(', ')}`}   (${detail})`,
];

/** What a stack is made of; nothing for another model. */
function stackFacts({ manifest: { stack } }: Model): (readonly [string, string])[] {
  if (!stack) return [];
  return [
    [
      'stack',
      `${stack.bases.length} bases, intercept ${significant(stack.intercept, 4)}; the coefficients have them in`,
    ],
    ...stack.bases.map(({ name, weight, rows, sha256, calibrated }): [string, string] => [
      `base ${word(name)}`,
      [
        weight === 0 ? 'weight 0: left out' : `weight ${significant(weight, 4)}`,
        `fitted to ${counted(rows, 'row')}`,
        ...(calibrated ? ['without its calibration'] : []),
        ...(sha256 === null ? [] : [`SHA-256 ${sha256}`]),
      ].join(', '),
    ]),
  ];
}

/** What the distribution of the training data is of. */
interface BaselineFigures {
  readonly rows: number;
  /** rows that these were sampled from */
  readonly of: number;
  readonly features: number;
  /** features that it leaves out */
  readonly without: readonly string[];
  /** labels of the classes that it tells apart */
  readonly classes: readonly string[];
  /** of the file */
  readonly bytes: number;
  /** false: calibration or decision have changed since */
  readonly isCurrent: boolean;
}

/** Null: a model without one. */
function baselineFigures(model: Model): BaselineFigures | null {
  const { baseline, schema } = model.manifest;
  if (!baseline) return null;
  const { whole: summed, of, without, classes, isCurrent } = baselineOf(model);
  const features = schema.features.length - without.length;
  // text within text, as the file has it
  const size = Buffer.byteLength(JSON.stringify(JSON.stringify(baseline))) - 2;
  return { rows: summed.rows, of, features, without, classes: [...classes.keys()], bytes: size, isCurrent };
}

function baselineFact(model: Model): string {
  const found = baselineFigures(model);
  if (!found) return 'none: drift and monitor need the training rows';
  const { rows, of, features, without, classes, bytes: size, isCurrent } = found;
  return [
    `${counted(rows, 'row')}${of > rows ? `, a sample of ${whole(of)}` : ''}`,
    `${counted(features, 'feature')}${without.length > 0 ? ` (without ${without.map(word).join(', ')})` : ''}`,
    classes.length > 0 ? 'by class' : 'classes together',
    bytes(size),
    ...(isCurrent ? [] : ['its probabilities are of another calibration or decision']),
  ].join(', ');
}

/** The output of `inspect`. */
export function inspectReport(model: Model): string {
  const { features } = model.manifest.schema;
  const rich = describeFeatures(features.filter((feature) => !PLAIN.includes(feature.kind)));
  const { format, producer, fit, warnings } = model.manifest;
  const lines = facts([
    ...fitFacts(model),
    [
      'rows',
      `${whole(fit.rows)}${fit.totalWeight === fit.rows ? '' : `, total weight ${significant(fit.totalWeight)}`}`,
    ],
    ...rich.map(featureFact),
    ...stackFacts(model),
    ['baseline', baselineFact(model)],
    ['file', `format ${format}, written by ${producer}`],
    ['sha256', model.sha256 ?? '–'],
  ]);
  const notes = warnings.map(({ code, message }) => `\n  ${word(code)} ${message.replaceAll('\n', ' ')}`).join('');
  return `${formula(model)}\n${lines}\n\n${summary(model)}\n${notes ? `\nwarnings${notes}\n` : ''}`;
}
