import type { Core } from '../core.ts';
import type { Served } from '../models/served.ts';
import { type Histogram, REQUEST_SECONDS, STAGES, type Tally } from '../observation/metrics.ts';
import { examplesOf } from './api/examples.ts';

/** Models on a page, and failures that are told. */
const MOST_MODELS = 100;
const MOST_FAILURES = 20;

/**
 * What the console shows: the models whose names have `search` in them, `count` of them from `from` on, and all that was counted of all models and
 * of the one of `model` and `version`.
 */
export async function overview(core: Core, query: Readonly<Record<string, string>>, sees: (model: string) => boolean) {
  const { shelf } = core;
  const { metrics, gauges } = await core.total();
  const { search = '', model, version } = query;
  const from = wholeNumber(query.from, 0);
  const count = Math.min(wholeNumber(query.count, MOST_MODELS), MOST_MODELS);
  const all = shelf.all(sees);
  const found = all.filter(({ name }) => name.toLowerCase().includes(search.toLowerCase()));
  const names = new Set(all.map(({ name }) => name));
  const { tallies, others } = metrics.snapshot();
  // to look at a model is not to count it
  const counted = new Map(tallies.map((tally) => [keyOf(tally.model, tally.version), tally]));
  const talliesOf = (served: Served): Tally[] => {
    const tally = counted.get(keyOf(served.name, served.version));
    return tally ? [tally] : [];
  };
  const chosen = all.find((served) => served.name === model && (version ?? served.version) === served.version);
  return {
    ready: gauges['lr_ready'].value === 1,
    failures: [...shelf.failures]
      .filter(([name]) => sees(name))
      .slice(0, MOST_FAILURES)
      .map(([name, reason]) => ({ name, reason })),
    matches: found.length,
    models: found.slice(from, from + count).map((served) => {
      const { name, version, sha256 } = served;
      return { name, version, sha256, ...requestsOf(talliesOf(served)) };
    }),
    all: traffic(
      tallies.filter(({ model }) => names.has(model)),
      others,
    ),
    chosen: chosen ? { ...traffic(talliesOf(chosen)), example: examplesOf(chosen)?.record ?? null } : null,
  };
}

const keyOf = (name: string, version: string): string => `${name}\n${version}`;

function wholeNumber(given: string | undefined, otherwise: number): number {
  const value = Number(given ?? otherwise);
  return Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
}

/** Requests and rows. Refused: by what was sent (4xx); failed: by the service (5xx). @param others  requests that reached no model */
function requestsOf(tallies: readonly Tally[], others: Tally['requests'] = {}) {
  const sums = { requests: 0, refused: 0, failed: 0, rows: 0 };
  for (const { rows } of tallies) sums.rows += rows;
  for (const requests of [...tallies.map(({ requests }) => requests), others])
    for (const [key, count] of Object.entries(requests)) {
      const status = Number(key.split(' ')[1]);
      sums.requests += count;
      if (status >= 500) sums.failed += count;
      else if (status >= 400) sums.refused += count;
    }
  return sums;
}

function traffic(tallies: readonly Tally[], others: Tally['requests'] = {}) {
  const sums = (of: (tally: Tally) => Histogram) =>
    Array.from({ length: REQUEST_SECONDS.length + 1 }, (_, i) =>
      tallies.reduce((sum, tally) => sum + of(tally).counts[i], 0),
    );
  const stages = STAGES.map((stage) => [stage, sums(({ stages }) => stages[stage])] as const);
  return {
    ...requestsOf(tallies, others),
    ends: REQUEST_SECONDS,
    times: { ...Object.fromEntries(stages), whole: sums(({ whole }) => whole) },
  };
}
