import { readFileSync } from 'node:fs';
import { LogoddsError } from '../../../src/index.ts';
import { deathNotes } from '../alerts/death.ts';
import { type Budget, Evaluation } from '../alerts/evaluation.ts';
import { type Samples, samplesOf } from '../alerts/samples.ts';
import { defaultSettings, readSettings } from '../slo/settings.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import { reason } from '../write/temporary.ts';

/** What is asked of a service, and by whom. */
export interface SloCheckOptions {
  readonly url: string;
  readonly config?: string;
  /** file of an API key */
  readonly key?: string;
}

/** What one look at a service tells. */
export interface SloCheck {
  readonly ok: boolean;
  /** since the service was started */
  readonly objectives: readonly (Budget & { readonly ok: boolean })[];
  /** conditions that are so now, however short */
  readonly conditions: readonly { readonly alert: string; readonly severity: string; readonly summary: string }[];
  readonly notes: readonly string[];
}

const TIMEOUT_MS = 10_000;

/**
 * Looks at the numbers of a service once: objectives since it was started, and conditions that are so now.
 * @throws ERR_DATA where it does not answer, ERR_RANGE of the settings
 */
export async function checkSlo({ url, config, key }: SloCheckOptions): Promise<SloCheck> {
  const settings = config === undefined ? defaultSettings() : await readSettings(config);
  const text = await metricsOf(url, key);
  const evaluation = new Evaluation(settings, new URL(url).host);
  const samples = samplesOf(text, evaluation.names);
  const now = Date.now();
  // counters begin at 0 when a service is started
  evaluation.step(now - 1000, emptied(samples));
  const alerts = evaluation.step(now, samples);
  const least = new Map(settings.objectives.map(({ id, options }) => [id, options.leastBad]));
  const objectives = evaluation.budgets().map((budget) => {
    const { slo, bad, remaining } = budget;
    return { ...budget, ok: remaining === null || remaining >= 0 || bad < least.get(slo)! };
  });
  const names = new Set<string>(settings.conditions.map(({ condition }) => condition.alert));
  const conditions = alerts
    .filter(({ alert }) => names.has(alert))
    .map(({ alert, severity, annotations }) => ({ alert, severity, summary: annotations['summary']! }));
  return {
    ok: conditions.length === 0 && objectives.every(({ ok }) => ok),
    objectives,
    conditions,
    notes: [
      ...(objectives.every(({ all }) => all === 0) ? ['the service has no events of these objectives yet'] : []),
      ...deathNotes(settings),
    ],
  };
}

const emptied = (samples: Samples): Samples =>
  new Map([...samples].map(([name, list]) => [name, list.map((sample) => ({ ...sample, value: 0 }))]));

async function metricsOf(url: string, key: string | undefined): Promise<string> {
  const away = (why: string, next: string) =>
    new LogoddsError(
      'ERR_DATA',
      `--url ${withoutSecrets(url)}: expected the numbers of a service, got ${why}; ${next}`,
    );
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${keyIn(key)}` };
  let response: Response;
  try {
    const base = new URL(url.endsWith('/') ? url : `${url}/`);
    response = await fetch(new URL('metrics', base), { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw away(`an error (${reason((error as Error).cause ?? error)})`, 'check the address');
  }
  const { status } = response;
  const check = 'check the address';
  if (status === 401 || status === 403) throw away(`status ${status}`, 'give --key FILE with a key of scope read');
  if (status !== 200) throw away(`status ${status}`, check);
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw away(`an answer that did not end in ${TIMEOUT_MS / 1000} s (${reason(error)})`, check);
  }
  // a page of another server says of nothing that it is so
  if (!/^lr_ready /m.test(text)) throw away('a page of something else', check);
  return text;
}

function keyIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `--key ${file}: expected a file with an API key, got an error (${reason(error)}); check the path`,
      { cause: error },
    );
  }
}
