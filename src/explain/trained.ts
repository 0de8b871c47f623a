import type { Feature } from '../encode/schema.ts';

/** Least and greatest number that training saw; null: the feature knows none. */
export function trainedEnds(feature: Feature): readonly [min: number, max: number] | null {
  switch (feature.kind) {
    case 'numeric':
    case 'curve':
      return [feature.min, feature.max];
    case 'binned':
      return [feature.edges[0], feature.edges[feature.edges.length - 1]];
    case 'categorical':
    case 'date':
    case 'target':
    case 'hashed':
    case 'cross':
    case 'tokens':
      return null;
  }
}
