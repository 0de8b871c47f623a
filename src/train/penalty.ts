import { LogoddsError } from '../../bindings/errors.ts';
import type { Feature, TokensFeature } from '../encode/schema.ts';
import { list, show } from '../messages.ts';
import type { PenaltySpec } from './penaltyOptions.ts';
import type { Problem } from './problem/problem.ts';
import type { Penalty } from './solve/types.ts';

/** What a penalty asks of a problem. */
type Penalised = Pick<Problem, 'slots' | 'schema' | 'standard'> & { readonly rows: { readonly totalWeight: number } };

/**
 * The penalty by slot; C = 1/(λS), null without one.
 * @param total  S of the rows that are fitted
 * @throws ERR_SCHEMA for factors or bounds of what is no feature; ERR_RANGE outside their domain
 */
export function penaltyOf(
  options: Omit<PenaltySpec, 'firth'>,
  problem: Penalised,
  total = problem.rows.totalWeight,
): { penalty: Penalty; C: number | null } {
  const { C = 1, lambda, l1Ratio, standardize, penalized, factors: byName, bounds } = options;
  const { slots, schema } = problem;
  const names = schema.features.map((feature) => feature.name);
  const known = (what: string, named: object = {}) => {
    for (const name of Object.keys(named)) {
      if (names.includes(name)) continue;
      throw new LogoddsError(
        'ERR_SCHEMA',
        `${what}: expected features (${list(names.slice(0, 20))}${names.length > 20 ? ', …' : ''}), got ${show(name)}; correct the name`,
      );
    }
  };
  known('factors', byName);
  known('bounds', bounds);
  const bySlot = (of: (name: string) => number) => Float64Array.from(slots, ({ name }) => of(name));
  const factors = byName && bySlot((name) => (Object.hasOwn(byName, name) ? byName[name] : 1));
  const bound = (side: 0 | 1, none: number) =>
    bounds ? bySlot((name) => (Object.hasOwn(bounds, name) ? bounds[name][side] : none)) : null;
  if (penalized && factors?.every((factor) => factor === 0)) {
    throw new LogoddsError('ERR_RANGE', 'factors: expected at least one above 0, got only 0; use penalty "none"');
  }
  const units = standardize ? unitsOf(problem) : problem.standard.scale.map((scale) => 1 / scale);
  return {
    penalty: {
      lambda: penalized ? (lambda ?? 1 / (C * total)) : 0,
      l1Ratio: penalized ? l1Ratio : 0,
      unit: units,
      ownUnit: standardize ? ownUnits(problem, units) : new Uint8Array(slots.length).fill(1),
      factors: factors ?? null,
      lower: bound(0, Number.NEGATIVE_INFINITY),
      upper: bound(1, Number.POSITIVE_INFINITY),
    },
    C: penalized ? (lambda === undefined ? C : 1 / (lambda * total)) : null,
  };
}

/**
 * Units of the penalty by slot: those that a schema declares, and of words and tags the count itself, as it is for levels (a rare word would
 * have next to no penalty in units of its standard deviation); null: the standard deviation throughout.
 */
function unitsOf({ schema, slots }: Penalised): Float64Array | null {
  const declared = schema.features.map((feature) =>
    feature.kind === 'curve' ? feature.units : isCounted(feature) ? feature.scales.map((scale) => 1 / scale) : [],
  );
  if (declared.every((units) => units.every((unit) => unit === 1))) return null;
  const next = declared.map(() => 0);
  return Float64Array.from(slots, ({ feature, role }) =>
    role === 'number' && declared[feature].length > 0 ? declared[feature][next[feature]++] : 1,
  );
}

const isCounted = (feature: Feature): feature is TokensFeature => feature.kind === 'tokens' && !feature.scaling;

/** 1: the unit of the slot is no standard deviation, so that a part of the rows has the same. */
function ownUnits({ schema, slots }: Penalised, units: Float64Array | null): Uint8Array {
  return Uint8Array.from(slots, ({ feature }, id) =>
    Number(isCounted(schema.features[feature]) || (units !== null && units[id] !== 1)),
  );
}
