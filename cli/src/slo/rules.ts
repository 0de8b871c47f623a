import { burnWindows, promDuration } from './burn.ts';
import { conditionExpr } from './conditions.ts';
import { burnFacts, conditionFacts, intervalOf, ruleOf, significant } from './facts.ts';
import type { Events } from './objectives.ts';
import type { SloCondition, SloObjective, SloSettings } from './settings.ts';

/*
 * Rules of Prometheus. Recorded are two families, by objective, model and window: `logodds:slo_bad:increase` and `logodds:slo_events:increase`; and the
 * share of the budget that is left, `logodds:slo_budget:remaining`. Alerts compare the two without a quotient: what has no events is no NaN.
 */

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RuleGroup {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}

const BAD = 'logodds:slo_bad:increase';
const ALL = 'logodds:slo_events:increase';

/** Text in quotes. */
export const quoted = (value: string): string => `"${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;

export const literal = (value: string): string => value.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const jobOf = ({ job }: SloSettings): string => `job=${quoted(job)}`;

/** Labels of a model: those that were replaced long ago are left out, for what is folded into them is no event of now. */
function selectorOf(settings: SloSettings, { objective, options }: SloObjective, family: string): string {
  const parts = [jobOf(settings)];
  if (!objective.isByModel) return parts.join(',');
  parts.push('version!="earlier"');
  if (options.models) parts.push(`model=~${quoted(options.models.map(literal).join('|'))}`);
  else if (family === 'lr_requests_total') parts.push('model!=""');
  return parts.join(',');
}

/** How many of these events there were within a window. */
function increaseOf(settings: SloSettings, slo: SloObjective, { family, only, above }: Events, window: string): string {
  const selector = selectorOf(settings, slo, family);
  const sum = slo.objective.isByModel ? 'sum by (model)' : 'sum';
  if (above !== undefined) {
    // Prometheus 3 writes whole ends as 1.0
    const end = quoted(Number.isInteger(above) ? `${above}(\\.0)?` : literal(String(above)));
    const count = `${sum} (increase(${family}_count{${selector}}[${window}]))`;
    return `clamp_min(${count} - ${sum} (increase(${family}_bucket{${selector},le=~${end}}[${window}])), 0)`;
  }
  const matcher = only ? `,${only.label}${only.not ? '!~' : '=~'}${quoted(only.is.source)}` : '';
  return `${sum} (increase(${family}{${selector}${matcher}}[${window}]))`;
}

function totalOf(settings: SloSettings, slo: SloObjective, events: readonly Events[], window: string): string {
  return events.map((one) => increaseOf(settings, slo, one, window)).join(' + ');
}

/** Bad events, and all. A model without a bad event has 0 of them. */
function countsOf(settings: SloSettings, slo: SloObjective, window: string): readonly [bad: string, all: string] {
  const { objective, options } = slo;
  const all = totalOf(settings, slo, objective.all(options), window);
  return [`(${totalOf(settings, slo, objective.bad(options), window)}) or 0 * (${all})`, all];
}

function recorded(settings: SloSettings, slo: SloObjective, seconds: number): RecordingRule[] {
  const window = promDuration(seconds);
  const [bad, all] = countsOf(settings, slo, window);
  const labels = { slo: slo.id, window };
  return [
    { record: BAD, expr: bad, labels },
    { record: ALL, expr: all, labels },
  ];
}

function budget(settings: SloSettings, slo: SloObjective): RecordingRule[] {
  const [bad, all] = countsOf(settings, slo, promDuration(settings.period));
  const allowed = 1 - slo.options.target;
  return [
    {
      record: 'logodds:slo_budget:remaining',
      expr: `1 - ((${bad}) / (${significant(allowed)} * ((${all}) > 0)))`,
      labels: { slo: slo.id },
    },
    {
      record: 'logodds:slo_objective:ratio',
      expr: `vector(${slo.options.target})`,
      labels: { slo: slo.id },
    },
  ];
}

function burnAlert(settings: SloSettings, slo: SloObjective, severity: 'page' | 'ticket'): AlertingRule {
  const allowed = 1 - slo.options.target;
  const windows = burnWindows(settings.period).filter((one) => one.severity === severity);
  const series = (family: string, seconds: number) =>
    `${family}{slo=${quoted(slo.id)},window=${quoted(promDuration(seconds))}}`;
  const ignoring = '> ignoring (window)';
  const either = windows
    .map(({ burn, long, short }) => {
      const over = (seconds: number) =>
        `${series(BAD, seconds)} ${ignoring} ${significant(burn * allowed)} * ${series(ALL, seconds)}`;
      const enough = `${series(BAD, long)} >= ${slo.options.leastBad}`;
      // a grace for what has just begun: the long window of a minute's history says little
      const isOld = `${series(ALL, short)} offset ${promDuration(short)}`;
      return `(${over(long)} and ignoring (window) ${over(short)} and ignoring (window) ${enough} and ignoring (window) ${isOld})`;
    })
    .join(' or ');
  // one alert, whichever window is over
  return ruleOf(burnFacts(settings, slo, severity), `max without (window) (${either})`);
}

const conditionAlert = (settings: SloSettings, one: SloCondition): AlertingRule =>
  ruleOf(conditionFacts(settings, one), conditionExpr(one.condition, jobOf(settings), one.above));

/** A file of rules: of one objective, or of the conditions. */
export interface RuleFile {
  readonly name: string;
  /** null: the conditions */
  readonly slo: SloObjective | null;
  readonly groups: readonly RuleGroup[];
}

/** All files of rules. */
export function ruleFiles(settings: SloSettings): RuleFile[] {
  const windows = burnWindows(settings.period);
  const all = [...new Set(windows.flatMap(({ long, short }) => [long, short]))].sort((a, b) => a - b);
  // four times that where a window is long: Prometheus forgets what is older than five minutes
  const [fast, slow] = [intervalOf(settings.period), 4];
  const isFast = (seconds: number) => seconds <= settings.period / 60;
  const group = (name: string, interval: number, rules: RuleGroup['rules']): RuleGroup => ({
    name,
    interval: promDuration(interval),
    rules,
  });
  const recordedIn = (slo: SloObjective, seconds: readonly number[]) =>
    seconds.flatMap((one) => recorded(settings, slo, one));
  const conditions = settings.conditions.map((one) => conditionAlert(settings, one));
  return [
    ...settings.objectives.map((slo) => ({
      name: slo.id,
      slo,
      groups: [
        group(`logodds-${slo.id}`, fast, recordedIn(slo, all.filter(isFast))),
        group(`logodds-${slo.id}-long`, fast * slow, [
          ...recordedIn(
            slo,
            all.filter((seconds) => !isFast(seconds)),
          ),
          ...budget(settings, slo),
        ]),
        group(`logodds-${slo.id}-alerts`, fast, [burnAlert(settings, slo, 'page'), burnAlert(settings, slo, 'ticket')]),
      ],
    })),
    ...(conditions.length > 0
      ? [{ name: 'conditions', slo: null, groups: [group('logodds-conditions', fast, conditions)] }]
      : []),
  ];
}
