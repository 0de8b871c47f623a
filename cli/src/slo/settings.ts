import { period, secondsOf, text } from '../options/kinds.ts';
import {
  complete,
  hasNone,
  isObject,
  type OptionTable,
  propertiesOf,
  readValues,
  refusedFor,
  show,
  unknown,
  type Values,
} from '../options/tableFile.ts';
import { note } from '../terminal/print.ts';
import { CONDITIONS, type Condition, type ConditionName, conditionOptions } from './conditions.ts';
import { OBJECTIVES, type Objective, type ObjectiveName, type ObjectiveOptions, optionsOf } from './objectives.ts';
import { RECEIVER_SCHEMA, RECEIVERS, receiversOf, type SloReceiver } from './receivers.ts';
import { PACE_OPTIONS, type Pace, type Paces } from './telling.ts';

/** Settings beside objectives, conditions and receivers. */
const GENERAL = {
  period: [period('12h', '90d'), 'of the budgets of errors; windows of alerts are shares of it', '30d'],
  job: [text, 'label `job` that Prometheus gives to the service', 'logodds'],
  target: [
    text,
    'HOST:PORT where Prometheus finds the service; absent: localhost:8080, and for `serve` this machine and its port',
  ],
  runbooks: [
    text,
    'what the names of runbooks are appended to, for the links of alerts',
    'https://github.com/logodds/logodds/blob/main/docs/runbooks/',
  ],
} as const satisfies OptionTable;

/** A dead man's switch: it is asked for as long as all goes on, and alarms when that ends. */
const WATCHDOG = {
  ...RECEIVERS.webhook,
  every: [period('5s', '1d'), 'how often it is told; it should alarm after twice as long', '1m'],
} as const satisfies OptionTable;

/** An objective in force, with its options. */
export interface SloObjective {
  readonly name: ObjectiveName;
  /** differs from the name where an objective is there several times */
  readonly id: string;
  readonly objective: Objective;
  readonly options: ObjectiveOptions;
}

/** A condition in force, with its options. */
export interface SloCondition {
  readonly name: ConditionName;
  readonly condition: Condition;
  readonly severity: 'page' | 'ticket';
  /** seconds */
  readonly lasting: number;
  readonly above: number;
}

/** Settings that have been read. */
export interface SloSettings {
  /** seconds */
  readonly period: number;
  readonly job: string;
  /** null: not said */
  readonly target: string | null;
  readonly runbooks: string;
  readonly objectives: readonly SloObjective[];
  readonly conditions: readonly SloCondition[];
  readonly notify: Readonly<Record<'page' | 'ticket', readonly SloReceiver[]>>;
  readonly paces: Paces;
  /** null: nobody notices where the service ends */
  readonly watchdog: { readonly receiver: SloReceiver; readonly every: number } | null;
}

const TABLE = Object.entries(OBJECTIVES) as [ObjectiveName, Objective][];

/** The settings where no file is given. */
export const defaultSettings = (): SloSettings => settingsOf('the default settings', {});

/** Reads a file of settings, in JSON or YAML. @param flag  by which it was named @throws ERR_DATA, ERR_RANGE naming everything that is wrong */
export async function readSettings(file: string, flag = '--config'): Promise<SloSettings> {
  const values = await readValues(`${flag} ${file}`, file, 'a file of objectives');
  if (hasNone(values)) note(`${flag} ${file} has no settings: all are the default ones`);
  return settingsOf(`${flag} ${file}`, values);
}

/** Checked and completed settings. @throws ERR_RANGE naming everything that is wrong */
export function settingsOf(what: string, values: unknown): SloSettings {
  const problems: string[] = [];
  if (!isObject(values ?? {})) throw refused(what, [`expected an object of settings, got ${show(values)}`]);
  const { $schema: _, objectives, conditions, notify, pace, watchdog, ...others } = (values ?? {}) as Values;
  const general = complete('', others, GENERAL, problems, ['objectives', 'conditions', 'notify', 'pace', 'watchdog']);
  const told = objectOf('notify', notify, ['page', 'ticket'], 'a severity', problems);
  const paces = objectOf('pace', pace, ['page', 'ticket'], 'a severity', problems);
  const settings: SloSettings = {
    period: secondsOf(String(general['period'])),
    job: String(general['job']),
    target: general['target'] === undefined ? null : String(general['target']),
    runbooks: String(general['runbooks']),
    objectives: objectivesOf(objectives, problems),
    conditions: conditionsOf(conditions, problems),
    notify: {
      page: receiversOf('notify.page', told['page'] ?? [], problems),
      ticket: receiversOf('notify.ticket', told['ticket'] ?? [], problems),
    },
    paces: { page: paceOf('page', paces['page'], problems), ticket: paceOf('ticket', paces['ticket'], problems) },
    watchdog: watchdog === undefined ? null : watchdogOf(watchdog, problems),
  };
  if (problems.length > 0) throw refused(what, problems);
  return settings;
}

const refused = (what: string, problems: readonly string[]) => refusedFor(what, problems, 'slo.schema.json');

/** An object whose keys are known; an empty one for what is none. */
function objectOf(place: string, given: unknown, keys: readonly string[], what: string, problems: string[]): Values {
  if (given === undefined) return {};
  if (!isObject(given)) {
    problems.push(`${place}: expected an object, got ${show(given)}`);
    return {};
  }
  for (const key of Object.keys(given)) if (!keys.includes(key)) problems.push(unknown(`${place}.`, key, keys, what));
  return given;
}

function paceOf(severity: 'page' | 'ticket', given: unknown, problems: string[]): Pace {
  const place = `pace.${severity}`;
  const own = given === undefined || isObject(given) ? (given ?? {}) : null;
  if (own === null) problems.push(`${place}: expected an object of options, got ${show(given)}`);
  const found = complete(`${place}.`, own ?? {}, PACE_OPTIONS[severity], problems);
  const seconds = (key: keyof Pace) => secondsOf(String(found[key]));
  return { wait: seconds('wait'), interval: seconds('interval'), repeat: seconds('repeat') };
}

function watchdogOf(given: unknown, problems: string[]): SloSettings['watchdog'] {
  if (!isObject(given)) problems.push(`watchdog: expected an object of options, got ${show(given)}`);
  const { every, ...options } = complete('watchdog.', isObject(given) ? given : {}, WATCHDOG, problems);
  if ('url' in options === 'urlFile' in options)
    problems.push(`watchdog: expected url or urlFile, got ${'url' in options ? 'both' : 'neither'}`);
  return { receiver: { kind: 'webhook', options }, every: secondsOf(String(every)) };
}

function objectivesOf(given: unknown, problems: string[]): SloObjective[] {
  const own = objectOf('objectives', given, Object.keys(OBJECTIVES), 'an objective', problems);
  return TABLE.flatMap(([name, objective]) => {
    const one = own[name] ?? (given === undefined && objective.inForce ? {} : undefined);
    if (one === undefined) return [];
    const list = Array.isArray(one) ? one : [one];
    if (list.length === 0) problems.push(`objectives.${name}: expected at least one, got none`);
    return list.map((options: unknown, k): SloObjective => {
      const place = list.length > 1 ? `objectives.${name}[${k}]` : `objectives.${name}`;
      if (!isObject(options)) problems.push(`${place}: expected an object of options, got ${show(options)}`);
      const found = complete(`${place}.`, isObject(options) ? options : {}, optionsOf(objective), problems);
      const id = list.length > 1 ? `${name}-${k + 1}` : name;
      return { name, id, objective, options: found as unknown as ObjectiveOptions };
    });
  });
}

function conditionsOf(given: unknown, problems: string[]): SloCondition[] {
  const own = objectOf('conditions', given, Object.keys(CONDITIONS), 'a condition', problems);
  return (Object.entries(CONDITIONS) as [ConditionName, Condition][]).flatMap(([name, condition]) => {
    const options = own[name] ?? {};
    const place = `conditions.${name}`;
    if (!isObject(options)) {
      problems.push(`${place}: expected an object of options, got ${show(options)}`);
      return [];
    }
    const found = complete(`${place}.`, options, conditionOptions(condition), problems);
    if (found['severity'] === 'off') return [];
    const lasting = secondsOf(String(found['lasting']));
    const severity = found['severity'] as SloCondition['severity'];
    return [{ name, condition, severity, lasting, above: Number(found['above'] ?? 0) }];
  });
}

const general = propertiesOf(GENERAL);

/** The JSON Schema of files of settings. */
export const sloSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://github.com/logodds/logodds/blob/main/cli/slo.schema.json',
  title: 'logodds slo',
  description:
    'Objectives of a service, conditions that must not be, and who is told. The objectives of a file replace the default ones; its conditions change them.',
  ...general,
  properties: {
    $schema: { type: 'string' },
    ...general.properties,
    objectives: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        TABLE.map(([name, objective]) => {
          const one = propertiesOf(optionsOf(objective));
          return [name, { description: objective.about, oneOf: [one, { type: 'array', items: one, minItems: 1 }] }];
        }),
      ),
    },
    conditions: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(CONDITIONS).map(([name, condition]) => [
          name,
          { description: condition.about, ...propertiesOf(conditionOptions(condition)) },
        ]),
      ),
    },
    notify: {
      type: 'object',
      additionalProperties: false,
      properties: { page: RECEIVER_SCHEMA, ticket: RECEIVER_SCHEMA },
    },
    watchdog: {
      description:
        "a dead man's switch outside of the machine, which serve --slo asks by POST for as long as it evaluates: it alarms where that ends",
      ...propertiesOf(WATCHDOG),
    },
    pace: {
      description: 'how soon and how often those of notify are told',
      type: 'object',
      additionalProperties: false,
      properties: { page: propertiesOf(PACE_OPTIONS.page), ticket: propertiesOf(PACE_OPTIONS.ticket) },
    },
  },
};
