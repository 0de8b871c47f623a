import { labelText } from './metrics.ts';
import type { Gauge, Gauges } from './numbers.ts';

/** A figure by model, version, arm of a rollout, and more: as Prometheus has it. */
export interface Figure {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** Figures as the page of Prometheus takes them. */
export function gaugesOf(figures: readonly Figure[]): Gauges {
  const gauges: Record<string, Gauge> = {};
  for (const { name, help, type, values } of figures)
    for (const { labels, value } of values) {
      const text = Object.entries(labels).map(([key, of]) => `${key}=${labelText(of)}`);
      gauges[`${name}{${text.join(',')}}`] = { help, type, value, of: 'most' };
    }
  return gauges;
}
