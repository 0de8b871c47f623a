import { type BurnWindow, burnWindows, promDuration } from './burn.ts';
import type { Events } from './objectives.ts';
import { type AlertingRule, quoted, type RuleGroup } from './rules.ts';
import type { SloObjective, SloSettings } from './settings.ts';

/*
 * Tests of the rules, in the form of `promtool test rules`: a fault pages, a blip does not, a slow fault makes a ticket, and what is well is left alone.
 */

/** Events for a time: of each step how many are good and how many bad. */
interface Stretch {
  readonly steps: number;
  readonly good: number;
  readonly bad: number;
}

/** Events in a step. */
const MANY = 1000;

const share = (steps: number, bad: number): Stretch => {
  const count = Math.round(MANY * Math.min(1, bad));
  return { steps: Math.max(1, Math.round(steps)), good: MANY - count, bad: count };
};

/** A counter, as promtool writes one. */
function values(stretches: readonly Stretch[], of: (one: Stretch) => number): string {
  let at = 0;
  const parts = stretches.map((one) => {
    const step = of(one);
    const part = `${at + step}+${step}x${one.steps - 1}`;
    at += step * one.steps;
    return part;
  });
  return ['0', ...parts].join(' ');
}

/** Values of labels that are bad. */
const BAD_LABEL: Readonly<Record<string, string>> = { code: '500', reason: 'queue' };

interface Series {
  readonly series: string;
  readonly values: string;
}

/** The samples of these events as a service would give them. */
function seriesOf(
  settings: SloSettings,
  { objective, options }: SloObjective,
  stretches: readonly Stretch[],
): Series[] {
  const [good, bad, both] = [
    values(stretches, (one) => one.good),
    values(stretches, (one) => one.bad),
    values(stretches, (one) => one.good + one.bad),
  ];
  const model = objective.isByModel ? `,model=${quoted(options.models?.[0] ?? 'm')},version="1"` : '';
  const at = (family: string, labels: string, of: string): Series => ({
    series: `${family}{job=${quoted(settings.job)}${labels}}`,
    values: of,
  });
  const badEvents: readonly Events[] = objective.bad(options);
  const allEvents: readonly Events[] = objective.all(options);
  const isInBoth = (family: string) => badEvents.some((one) => one.family === family);
  const isPart = allEvents.some(({ family }) => isInBoth(family));
  return [
    ...badEvents.flatMap(({ family, only, above }) => {
      if (above !== undefined) return [at(`${family}_bucket`, `${model},le=${quoted(String(above))}`, good)];
      return [at(family, `${model}${only ? `,${only.label}=${quoted(BAD_LABEL[only.label]!)}` : ''}`, bad)];
    }),
    ...allEvents
      .filter(({ family }) => !isInBoth(family) || badEvents.some((one) => one.family === family && one.only))
      .map(({ family }) =>
        at(family, `${model}${family === 'lr_requests_total' ? ',code="200"' : ''}`, isPart ? good : both),
      ),
  ];
}

interface Expected {
  readonly exp_labels: Readonly<Record<string, string>>;
  readonly exp_annotations: Readonly<Record<string, string>>;
}

function alertOf(slo: SloObjective, { labels, annotations }: AlertingRule): Expected {
  const model = slo.options.models?.[0] ?? 'm';
  const filled = (text: string) => text.replace('{{ $labels.model }}', model);
  return {
    exp_labels: { ...labels, ...(slo.objective.isByModel && { model }) },
    exp_annotations: Object.fromEntries(Object.entries(annotations).map(([key, text]) => [key, filled(text)])),
  };
}

/** A case: what happens, and which of the severities that are looked at are told of at its end. */
interface Case {
  readonly name: string;
  readonly stretches: readonly Stretch[];
  readonly asked: readonly BurnWindow['severity'][];
  readonly told: readonly BurnWindow['severity'][];
}

/** @param step  seconds */
function casesOf(settings: SloSettings, { options }: SloObjective, step: number): Case[] {
  const allowed = 1 - options.target;
  const [fast, middle, slow] = burnWindows(settings.period) as [BurnWindow, BurnWindow, BurnWindow];
  const steps = (seconds: number) => seconds / step;
  const healthy = share(steps(middle.long), 0);
  // half of what would page
  const blip = (steps(fast.long) * fast.burn * allowed) / 2;
  return [
    { name: 'what is well is left alone', stretches: [healthy], asked: ['page', 'ticket'], told: [] },
    {
      name: 'a blip is left alone',
      stretches: [healthy, share(Math.floor(blip), Math.min(1, blip)), share(steps(fast.short), 0)],
      asked: ['page'],
      told: [],
    },
    ...(fast.burn * allowed < 0.7
      ? [
          {
            name: 'a fault pages',
            stretches: [healthy, share(steps(fast.long), 1)],
            asked: ['page'] as const,
            told: ['page'] as const,
          },
        ]
      : []),
    {
      name: 'a slow fault makes a ticket',
      stretches: [share(steps(slow.long * 1.2), 4 * allowed)],
      asked: ['page', 'ticket'] as const,
      told: ['ticket'] as const,
    },
  ];
}

/** A file of `promtool test rules` for those of an objective. @param file  of the rules, as seen from that of the tests */
export function ruleTests(
  settings: SloSettings,
  slo: SloObjective,
  groups: readonly RuleGroup[],
  file: string,
): object {
  const shortest = Math.min(...burnWindows(settings.period).map(({ short }) => short));
  const step = Math.max(1, Math.floor(shortest / 2));
  const alerts = groups.flatMap((group) => group.rules).filter((rule): rule is AlertingRule => 'alert' in rule);
  const tests = casesOf(settings, slo, step).map(({ name, stretches, told, asked }) => ({
    name,
    interval: promDuration(step),
    input_series: seriesOf(settings, slo, stretches),
    alert_rule_test: alerts
      .filter(({ labels }) => asked.includes(labels['severity'] as 'page'))
      .map((rule) => ({
        eval_time: promDuration(stretches.reduce((sum, { steps }) => sum + steps, 0) * step),
        alertname: rule.alert,
        exp_alerts: told.includes(rule.labels['severity'] as 'page') ? [alertOf(slo, rule)] : [],
      })),
  }));
  return { rule_files: [file], evaluation_interval: promDuration(step), tests };
}
