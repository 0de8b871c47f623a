import { Metrics } from './metrics.ts';

/** What is so now, or counted by the host, and how those of several processes become one. */
export interface Gauge {
  readonly help: string;
  readonly value: number;
  readonly type?: 'gauge' | 'counter';
  readonly of: keyof typeof FOLDS;
}

const FOLDS = {
  sum: (a: number, b: number) => a + b,
  most: Math.max,
  least: Math.min,
};

export type Gauges = Readonly<Record<string, Gauge>>;

/** The numbers of a process. Plain data: the processes of a service send theirs to one another. */
export interface Numbers {
  readonly counts: ReturnType<Metrics['snapshot']>;
  readonly gauges: Gauges;
}

/** The numbers of several processes as those of one. */
export function totalOf(all: readonly Numbers[]): { readonly metrics: Metrics; readonly gauges: Gauges } {
  const metrics = new Metrics();
  const gauges: Record<string, Gauge> = {};
  for (const numbers of all) {
    metrics.add(numbers.counts);
    for (const [name, gauge] of Object.entries(numbers.gauges)) {
      const before = gauges[name];
      gauges[name] = before ? { ...gauge, value: FOLDS[gauge.of](before.value, gauge.value) } : gauge;
    }
  }
  return { metrics, gauges };
}
