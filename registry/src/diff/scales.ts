import type { Feature, Model } from 'logodds';

const MISSING = '(missing)';

/**
 * The standard deviation that the slot of a coefficient had in training: of a number its own, of an indicator √(p(1 − p)), p its share of the rows.
 * @returns by the feature and level that `coefficients` names; null where the model does not know it
 */
export function scalesOf({ manifest }: Model): (feature: string, level: string | null) => number | null {
  const features = new Map(manifest.schema.features.map((feature) => [feature.name, feature]));
  return (name, level) => {
    const feature = features.get(name);
    const scale = feature && scaleOf(feature, level);
    return scale !== undefined && scale > 0 ? scale : null;
  };
}

function scaleOf(feature: Feature, level: string | null): number | undefined {
  switch (feature.kind) {
    case 'numeric':
      return level === null ? feature.scale : undefined;
    case 'curve':
      return feature.scales[level === null ? 0 : Number(/^spline (\d+)$/.exec(level)?.[1])];
    case 'target':
      // of several classes each has one: they are alike, and their coefficients have one name
      return feature.scales.length === 1 ? feature.scales[0] : undefined;
    case 'tokens':
      return feature.scales[
        'buckets' in feature.tokens ? Number(level?.slice(1)) : feature.tokens.indexOf(level ?? '')
      ];
    case 'hashed':
      return indicator(
        feature.counts,
        level === MISSING ? feature.counts.length - 1 : bucketOf(level, feature.buckets),
      );
    case 'categorical':
    case 'binned':
    case 'date':
    case 'cross':
      return indicator(feature.counts, level === MISSING ? feature.levels.length : feature.levels.indexOf(level ?? ''));
  }
}

/** √(p(1 − p)), p the share of one of the counts. */
function indicator(counts: readonly number[], at: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const share = counts[at]! / total;
  return Math.sqrt(share * (1 - share));
}

/** "#3" is slot 3 of positive hashes, "#-3" of negative ones. */
function bucketOf(level: string | null, buckets: number): number {
  const [, sign, bucket] = /^#(-?)(\d+)$/.exec(level ?? '') ?? [];
  return sign === undefined ? -1 : Number(bucket) + (sign === '-' ? buckets : 0);
}
