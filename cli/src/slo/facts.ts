import { burnWindows, promDuration } from './burn.ts';
import type { SloCondition, SloObjective, SloSettings } from './settings.ts';

/** What is known of an alert before it fires, by the rules of Prometheus and by what `serve --slo` evaluates. */
export interface AlertFacts {
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>> & { readonly severity: 'page' | 'ticket' };
  /** with the labels and the value of a sample still to be put in */
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
  /** seconds that it is so before it fires */
  readonly lasting: number;
  /** seconds that it goes on when it is no more so */
  readonly keep: number;
}

/** Digits without the noise of 1 - 0.999. */
export const significant = (value: number): number => Number(value.toPrecision(12));

/** Seconds between two evaluations: a tenth of the shortest window. */
export const intervalOf = (period: number): number =>
  Math.max(1, Math.min(30, Math.floor(Math.min(...burnWindows(period).map(({ short }) => short)) / 10)));

const linkOf = ({ runbooks }: SloSettings, page: string): string => `${runbooks}${page}.md`;

/** Of the alert of an objective. */
export function burnFacts(settings: SloSettings, slo: SloObjective, severity: 'page' | 'ticket'): AlertFacts {
  const name = slo.name[0]!.toUpperCase() + slo.name.slice(1);
  const of = slo.objective.isByModel ? ' of {{ $labels.model }}' : '';
  const percent = `${significant(100 * slo.options.target)} %`;
  const windows = burnWindows(settings.period).filter((one) => one.severity === severity);
  return {
    alert: `Logodds${name}${severity === 'page' ? 'Fast' : 'Slow'}Burn`,
    labels: { severity, slo: slo.id },
    annotations: {
      summary: `the budget of ${slo.id}${of} is spent ${severity === 'page' ? 'fast' : 'slowly'}: expected ${percent} of ${slo.objective.about}`,
      runbook_url: linkOf(settings, slo.objective.runbook),
    },
    lasting: 0,
    keep: Math.min(...windows.map(({ short }) => short)),
  };
}

/** Of the alert of a condition. */
export const conditionFacts = (settings: SloSettings, { condition, severity, lasting }: SloCondition): AlertFacts => ({
  alert: condition.alert,
  labels: { severity },
  annotations: { summary: condition.summary, runbook_url: linkOf(settings, condition.runbook) },
  lasting,
  keep: 0,
});

/** As a rule of Prometheus has it. */
export const ruleOf = ({ alert, labels, annotations, lasting, keep }: AlertFacts, expr: string) => ({
  alert,
  expr,
  ...(lasting > 0 && { for: promDuration(lasting) }),
  ...(keep > 0 && { keep_firing_for: promDuration(keep) }),
  labels,
  annotations,
});
