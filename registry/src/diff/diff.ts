import { type Coefficient, coefficients, type Model } from 'logodds';
import type { Metrics } from '../event.ts';
import type { CoefficientDifference, Compared, ModelDifference } from './difference.ts';
import { scalesOf } from './scales.ts';
import { changes, schemaDifference } from './schemas.ts';
import { sentenceOf } from './sentence.ts';

/**
 * Compares two models: B against A.
 *
 * Standard errors of differences take the fits as independent. Fits that share rows vary together, so the true error is smaller: the figure is conservative.
 * @example
 * diffModels({ model }, { model }).sentence; // 'Nothing that scores has changed.'
 */
export function diffModels(a: Compared, b: Compared): ModelDifference {
  const schema = schemaDifference(a.model, b.model);
  const lines = coefficientDifferences(a.model, b.model);
  const settings = changes(settingsOf(a.model), settingsOf(b.model));
  const isSame =
    settings.every(({ field }) => !SCORES.test(field)) &&
    schema.added.length + schema.removed.length + schema.changed.length === 0 &&
    lines.every(({ difference }) => difference === 0);
  const found = { isSame, coefficients: lines, schema, settings };
  return {
    sentence: sentenceOf(found),
    ...found,
    independence: lines.some(({ stdError }) => stdError !== null) ? independenceOf(a, b) : null,
    metrics: metricDifferences(a.metrics ?? {}, b.metrics ?? {}),
  };
}

/** Settings that take part in a score. */
const SCORES = /^(target|classes|positive|multiclass|offset|calibration|decision)/;

/** What was decided about a model, by its path in the manifest. */
function settingsOf({ manifest }: Model): Record<string, unknown> {
  const { target, classes, positive, multiclass, offset, weight, weightKind = null, objective } = manifest;
  const { calibration, decision } = manifest;
  return {
    ...{ target, classes, positive, multiclass, offset, weight, weightKind },
    ...Object.fromEntries(Object.entries(objective).map(([key, value]) => [`objective.${key}`, value])),
    'calibration.method': calibration?.method ?? 'none',
    'calibration.calibrators': calibration?.calibrators ?? [],
    'calibration.shift': calibration?.shift ?? [],
    'decision.threshold': decision.threshold,
    'decision.costs': decision.costs ?? null,
    'decision.abstain': decision.abstain ?? null,
    'decision.chosen': decision.chosen?.by ?? null,
  };
}

function coefficientDifferences(a: Model, b: Model): CoefficientDifference[] {
  const before = byName(coefficients(a));
  const after = byName(coefficients(b));
  const scales = [scalesOf(a), scalesOf(b)];
  const lines = [...new Set([...before.keys(), ...after.keys()])].map((key): CoefficientDifference => {
    const [from, to] = [before.get(key), after.get(key)];
    const { class: label, feature, level } = (from ?? to)!;
    // what a model does not have, or could not estimate, changes no logit
    const difference = (to?.value ?? 0) - (from?.value ?? 0);
    const stdError = from?.stdError && to?.stdError ? Math.hypot(from.stdError, to.stdError) : null;
    const scale = scales.map((of) => of(feature, level)).find((one) => one !== null) ?? null;
    const times = (value: number | null | undefined) => (value == null ? null : value * scale!);
    return {
      ...{ class: label, feature, level, a: from?.value ?? null, b: to?.value ?? null },
      oddsRatioA: from?.oddsRatio ?? null,
      oddsRatioB: to?.oddsRatio ?? null,
      ...{ difference, stdError, z: stdError === null ? null : difference / stdError, scale },
      standardized:
        scale === null ? null : { a: times(from?.value), b: times(to?.value), difference: difference * scale },
    };
  });
  const size = ({ standardized }: CoefficientDifference) => Math.abs(standardized?.difference ?? 0);
  return lines.sort((one, other) => size(other) - size(one));
}

/** By class, feature and level. Of several lines of one name, as of a target encoding of several classes, the second has a number, and so on. */
function byName(list: readonly Coefficient[]): Map<string, Coefficient> {
  const found = new Map<string, Coefficient>();
  for (const line of list) {
    const name = JSON.stringify([line.class, line.feature, line.level]);
    let key = name;
    for (let k = 2; found.has(key); k++) key = `${name} ${k}`;
    found.set(key, line);
  }
  return found;
}

/** How far errors of differences can be believed. */
function independenceOf(a: Compared, b: Compared): string {
  const [one, other] = [a.lineage?.data, b.lineage?.data];
  const isSame = one !== undefined && one === other;
  const is = isSame
    ? 'Both models were trained on the same data, so their estimates vary together, and the errors of differences are too large (conservative)'
    : one !== undefined && other !== undefined
      ? 'The training data differ; where they share rows, the errors of differences are too large (conservative)'
      : 'The errors of differences take the fits as independent; where these share rows, they are too large (conservative)';
  const naive = [a, b].some(({ model }) => model.manifest.inference?.covariance === 'model');
  return `${is}${naive ? '; where entities recur in different rows, they are too small: train with --cluster' : ''}.`;
}

const metricDifferences = (a: Metrics, b: Metrics): ModelDifference['metrics'] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].map((metric) => {
    const [from, to] = [a[metric] ?? null, b[metric] ?? null];
    return { metric, a: from, b: to, difference: from === null || to === null ? null : to - from };
  });
