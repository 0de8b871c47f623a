import type { CoefficientDifference, ModelDifference } from './difference.ts';

type Found = Pick<ModelDifference, 'isSame' | 'coefficients' | 'schema' | 'settings'>;

/** Coefficients whose standardised difference is smaller changed by rounding alone. */
const NOTHING = 1e-9;

/** What changed most, in a sentence of a few parts: what decides first. */
export function sentenceOf({ isSame, coefficients, schema, settings }: Found): string {
  if (isSame) return 'Nothing that scores has changed.';
  const of = (field: string) => settings.find((one) => one.field === field);
  const classes = of('classes') ?? of('positive');
  const { added, removed, changed } = schema;
  const parts = [
    of('target') && `the target is ${of('target')!.to} instead of ${of('target')!.from}`,
    classes &&
      `the classes are ${listed(classes.to)} instead of ${listed(classes.from)}, so coefficients do not compare`,
    added.length > 0 && `${named(added)} new`,
    removed.length > 0 && `${named(removed)} gone`,
    changed.length > 0 && `${named(changed.map(({ feature }) => feature))} read otherwise`,
    !classes && weight(coefficients, [...added, ...removed]),
    of('calibration.method')
      ? `the calibration is ${of('calibration.method')!.to} instead of ${of('calibration.method')!.from}`
      : (of('calibration.calibrators') ?? of('calibration.shift')) && 'the calibration has other numbers',
    of('decision.threshold') &&
      `the threshold went from ${digits(of('decision.threshold')!.from as number)} to ${digits(of('decision.threshold')!.to as number)}`,
    (of('decision.costs') ?? of('decision.abstain')) && 'costs or the band of review are others',
  ].filter((part) => typeof part === 'string');
  if (parts.length === 0) return 'Settings changed, coefficients did not.';
  const text = parts.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The weight that changed most, of those that both models have. */
function weight(lines: readonly CoefficientDifference[], others: readonly string[]): string | false {
  const common = lines.filter(({ feature, a, b }) => a !== null && b !== null && !others.includes(feature));
  const [first] = common.filter(({ standardized }) => Math.abs(standardized?.difference ?? 0) > NOTHING);
  if (!first) {
    const intercept = common.find(({ feature, difference }) => feature === '(intercept)' && difference !== 0);
    return intercept ? `the intercept changed by ${digits(intercept.difference)}` : false;
  }
  const { feature, level, a, b, standardized, z } = first;
  const turned = a! * b! < 0 ? ', its sign too' : '';
  const errors = z === null ? '' : `, ${digits(Math.abs(z), 2)} standard errors`;
  return `the weight of ${feature}${level === null ? '' : ` = ${level}`} changed most, from ${digits(a!)} to ${digits(b!)}${turned} (${digits(Math.abs(standardized!.difference), 2)} of the logit per standard deviation${errors})`;
}

const digits = (value: number, most = 3): string => String(Number(value.toPrecision(most)));

const listed = (value: unknown): string => (Array.isArray(value) ? value.slice(0, 5).join(', ') : String(value));

/** A few names, how many more, and the verb that goes with them. */
function named(all: readonly string[]): string {
  if (all.length === 1) return `the feature ${all[0]} is`;
  const list =
    all.length > 4
      ? `${all.slice(0, 3).join(', ')} and ${all.length - 3} more`
      : all.join(', ').replace(/, ([^,]*)$/, ' and $1');
  return `the features ${list} are`;
}
