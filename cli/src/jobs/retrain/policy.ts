import { dirname, resolve } from 'node:path';
import { checkAlias, checkName } from '../../../../registry/src/index.ts';
import type { LogoddsError } from '../../../../src/index.ts';
import {
  between,
  choice,
  integer,
  number,
  onOff,
  period,
  positive,
  secondsOf,
  text,
  texts,
} from '../../options/kinds.ts';
import {
  complete,
  isObject,
  type OptionTable,
  propertiesOf,
  readValues,
  refusedFor,
  show,
  unknown,
  type Values,
} from '../../options/tableFile.ts';

/*
 * What a file of `logodds retrain --policy` may have. Its checks and its JSON Schema are made of these tables.
 */

const GENERAL = {
  name: [text, 'name of the model in the registry', null],
  registry: [text, 'where the registry is; absent: LOGODDS_REGISTRY, else ./registry'],
  logs: [texts, 'files or patterns of the prediction log', null],
  labels: [texts, 'files or patterns of the log of labels; absent: labels-* beside the prediction log'],
  folder: [text, 'folder of this policy: the journal, training sets and models of its runs', 'retrain'],
  keep: [integer(1, 1000), 'runs whose files are kept there', 3],
  minGap: [period('0s', '365d'), 'time from one retraining to the next, at least', '1d'],
  alias: [text, 'alias that names a candidate once its gate has passed', 'challenger'],
  onLabelShift: [
    choice('refuse', 'correct'),
    'what a shift of the classes beyond `bounds.labelShift` does. refuse: nothing is trained. correct: the champion gets the new shares of the classes as its prior, without training',
    'refuse',
  ],
  timeLimit: [
    period('1m', '20d'),
    'how long each command of a run may take: one that takes longer is stopped, and the run has failed',
    '1d',
  ],
  metrics: [text, 'file for the textfile collector of Prometheus, with the number of retrainings and how they ended'],
} as const satisfies OptionTable;

const WINDOWS = [
  integer(1, 100),
  'complete windows of the watch, one after the other, in which it must be so',
  2,
] as const;

/** What starts a retraining. */
export const TRIGGERS = {
  drift: {
    about: 'features or scores have drifted from the baseline of the champion',
    options: {
      psi: [positive, 'PSI from which a feature counts as drifted, beside its test', 0.25],
      release: [
        positive,
        'PSI below which it counts as ended: it must have ended before it may start another one',
        0.1,
      ],
      features: [integer(1, 1e6), 'so many features, at least', 1],
      scores: [onOff, 'scores count like a feature', true],
      windows: WINDOWS,
    },
  },
  performance: {
    about: 'the champion is worse than it was, on windows whose labels are in',
    options: {
      logLossIncrease: [positive, 'log loss above what its own probabilities expect, in nats', 0.05],
      release: [positive, 'increase below which it counts as ended', 0.02],
      windows: WINDOWS,
    },
  },
  calibration: {
    about: 'the probabilities of the champion are wrong on the whole, on windows whose labels are in',
    options: {
      intercept: [positive, 'log-odds by which they are too low or too high', 0.3],
      release: [positive, 'log-odds below which it counts as ended', 0.1],
      windows: WINDOWS,
    },
  },
  schedule: {
    about: 'time has passed since the champion was trained, or the last retraining',
    options: { every: [period('1h', '3650d'), 'how much', '30d'] },
  },
  volume: {
    about: 'labels have come since the last retraining',
    options: { labels: [integer(1, 1e12), 'so many', 10_000] },
  },
} as const satisfies Readonly<Record<string, { readonly about: string; readonly options: OptionTable }>>;

export type TriggerName = keyof typeof TRIGGERS;

const DATA = {
  last: [period('1h', '3650d'), 'scores as old as this are taken', '90d'],
  ripeAfter: [period('0s', '3650d'), 'scores younger than this are left out, as not all of their labels are in', '7d'],
  holdout: [between, 'share of the newest rows on which the gate holds the candidate against the champion', 0.25],
  rows: [integer(2, 1e12), 'rows with labels to train on, at least', 1000],
  ofClass: [integer(1, 1e12), 'rows of each class among them, at least', 50],
  selection: [
    choice('refuse', 'warn', 'weigh'),
    'what happens where only some scores get labels, as with declined applications. weigh: rows are weighted by inverse propensity',
    'refuse',
  ],
} as const satisfies OptionTable;

const WATCH = {
  every: [period('1m', '365d'), 'length of a window', '1d'],
  rows: [integer(2, 1e9), 'rows that a window must have to count, and labels', 200],
} as const satisfies OptionTable;

const EVALUATE = {
  every: [period('1m', '365d'), 'how often', '1d'],
  rows: [integer(2, 1e12), 'rows with labels that were scored since it was pushed, at least', 500],
} as const satisfies OptionTable;

/** Beyond these the labels are not believed, and nothing is trained. */
const BOUNDS = {
  labelShift: [positive, 'change of the log-odds of a class against the baseline of the champion', 0.7],
  duplicates: [number(0, 1), 'share of the labels whose score had one already', 0.05],
  corrections: [number(0, 1), 'share of the labels that were another one before', 0.05],
  early: [
    number(0, 1),
    'share of the labels that were known before their score was made: a leak, or clocks that differ',
    0.01,
  ],
  oneEntity: [number(0, 1), 'share of the rows that one entity has, where entities are logged', 0.05],
  oneRow: [number(0, 1), 'share of the rows that have one and the same inputs', 0.1],
  unlabelled: [number(0, 1), 'share of ripe scores without a label', 0.9],
} as const satisfies OptionTable;

/** A policy that has been read: its paths are those of the file it stands in. */
export interface Policy {
  /** folder of the file */
  readonly home: string;
  readonly name: string;
  readonly registry: string | null;
  readonly logs: readonly string[];
  readonly labels: readonly string[] | null;
  readonly folder: string;
  readonly keep: number;
  readonly minGapMs: number;
  readonly timeLimitMs: number;
  readonly alias: string;
  readonly onLabelShift: 'refuse' | 'correct';
  readonly metrics: string | null;
  readonly triggers: Readonly<Partial<Record<TriggerName, Values>>>;
  readonly watch: { readonly everyMs: number; readonly rows: number };
  readonly data: {
    readonly lastMs: number;
    readonly ripeAfterMs: number;
    readonly holdout: number;
    readonly rows: number;
    readonly ofClass: number;
    readonly selection: 'refuse' | 'warn' | 'weigh';
  };
  readonly bounds: Readonly<Record<keyof typeof BOUNDS, number>>;
  /** null: challengers are not evaluated again */
  readonly evaluate: { readonly everyMs: number; readonly rows: number } | null;
  /** flags of the commands */
  readonly train: readonly string[];
  readonly gate: readonly string[];
  /** null: no rollout is started */
  readonly rollout: readonly string[] | null;
}

/** Lists of flags, and what they may not have since the policy says it. */
const FLAGS = {
  train: {
    about: 'flags of logodds train, such as ["--calibrate", "platt", "--schema", "fraud.schema.json"]',
    own: [
      '--target',
      '--out',
      '--query',
      '--holdout',
      '--holdout-by',
      '--no-holdout',
      '--start',
      '--json',
      '--weight',
      '--online',
      '--registry',
    ],
  },
  gate: {
    about: 'flags of logodds gate, such as ["--rules", "gate.json"]',
    own: ['--against', '--data', '--target', '--registry', '--json', '--junit', '--report', '--weight'],
  },
  rollout: {
    about:
      'flags of logodds rollout start, such as ["--steps", "0.05,0.25,1", "--hold", "1d", "--promote"]; absent: none is started',
    own: ['--challenger', '--registry', '--json', '--why'],
  },
} as const;

type FlagsName = keyof typeof FLAGS;

/** @throws ERR_DATA, ERR_RANGE naming everything that is wrong */
export async function readPolicy(file: string): Promise<Policy> {
  const what = `--policy ${file}`;
  return policyOf(what, await readValues(what, file, 'a policy'), dirname(resolve(file)));
}

/** Keys of a policy that are objects or lists of flags. */
const SECTIONS = ['triggers', 'watch', 'data', 'bounds', 'evaluate', 'train', 'gate', 'rollout'];

/** A policy, checked and complete. @param home  folder that its paths are of @throws ERR_RANGE naming everything that is wrong */
export function policyOf(what: string, values: unknown, home: string): Policy {
  const problems: string[] = [];
  if (!isObject(values)) throw refused(what, [`expected an object, got ${show(values)}`]);
  const { $schema: _, triggers, watch, data, bounds, evaluate, train, gate, rollout, ...others } = values;
  const general = complete('', others, GENERAL, problems, SECTIONS);
  const part = (name: string, given: unknown, table: OptionTable): Values => {
    if (given !== undefined && !isObject(given)) problems.push(`${name}: expected an object, got ${show(given)}`);
    return complete(`${name}.`, isObject(given) ? given : {}, table, problems);
  };
  const own = part('data', data, DATA);
  const windows = part('watch', watch, WATCH);
  const again = evaluate === undefined ? null : part('evaluate', evaluate, EVALUATE);
  const limits = part('bounds', bounds, BOUNDS) as Policy['bounds'];
  const watched = triggersOf(triggers, problems);
  const flags = {
    train: flagsOf('train', train, problems) ?? [],
    gate: flagsOf('gate', gate, problems) ?? [],
    rollout: flagsOf('rollout', rollout, problems),
  };
  // what is made of values that are none is nothing that could be judged
  if (problems.length > 0) throw refused(what, problems);
  const seconds = (value: unknown): number => 1000 * secondsOf(String(value));
  const path = (value: unknown): string => resolve(home, String(value));
  const place = (value: unknown): string => (String(value).includes('://') ? String(value) : path(value));
  const found: Policy = {
    home,
    name: String(general['name']),
    registry: general['registry'] === undefined ? null : place(general['registry']),
    logs: listOf(general['logs']).map(place),
    labels: general['labels'] === undefined ? null : listOf(general['labels']).map(place),
    folder: path(general['folder']),
    keep: Number(general['keep']),
    minGapMs: seconds(general['minGap']),
    timeLimitMs: seconds(general['timeLimit']),
    alias: String(general['alias']),
    onLabelShift: general['onLabelShift'] as Policy['onLabelShift'],
    metrics: general['metrics'] === undefined ? null : path(general['metrics']),
    triggers: watched,
    watch: { everyMs: seconds(windows['every']), rows: Number(windows['rows']) },
    data: {
      lastMs: seconds(own['last']),
      ripeAfterMs: seconds(own['ripeAfter']),
      holdout: Number(own['holdout']),
      rows: Number(own['rows']),
      ofClass: Number(own['ofClass']),
      selection: own['selection'] as Policy['data']['selection'],
    },
    bounds: limits,
    evaluate: again && { everyMs: seconds(again['every']), rows: Number(again['rows']) },
    ...flags,
  };
  if (found.data.ripeAfterMs >= found.data.lastMs)
    problems.push(`data.ripeAfter: expected less than data.last (${show(own['last'])}), got ${show(own['ripeAfter'])}`);
  for (const [check, text] of [
    [checkName, found.name],
    [checkAlias, found.alias],
  ] as const) {
    try {
      check(text);
    } catch (error) {
      problems.push((error as LogoddsError).detail);
    }
  }
  if (found.alias === 'champion') problems.push('alias: expected another one than champion, got champion');
  if (problems.length > 0) throw refused(what, problems);
  return found;
}

const refused = (what: string, problems: readonly string[]): LogoddsError =>
  refusedFor(what, problems, 'retrain.schema.json');

const listOf = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** The triggers in force; without any, those of drift, performance and calibration. */
function triggersOf(given: unknown, problems: string[]): Policy['triggers'] {
  const names = Object.keys(TRIGGERS) as TriggerName[];
  const wanted = given ?? { drift: {}, performance: {}, calibration: {} };
  if (!isObject(wanted)) {
    problems.push(`triggers: expected an object, got ${show(given)}`);
    return {};
  }
  for (const key of Object.keys(wanted))
    if (!names.includes(key as TriggerName)) problems.push(unknown('triggers.', key, names, 'a trigger'));
  return Object.fromEntries(
    names.flatMap((name) => {
      const options = wanted[name];
      if (options === undefined) return [];
      if (!isObject(options)) problems.push(`triggers.${name}: expected an object, got ${show(options)}`);
      const own = complete(`triggers.${name}.`, isObject(options) ? options : {}, TRIGGERS[name].options, problems);
      const from = own['psi'] ?? own['logLossIncrease'] ?? own['intercept'];
      if (from !== undefined && Number(own['release']) > Number(from))
        problems.push(`triggers.${name}.release: expected at most ${from}, where it begins, got ${own['release']}`);
      return [[name, own]];
    }),
  );
}

/** Flags of a command; null: absent. */
function flagsOf(name: FlagsName, given: unknown, problems: string[]): readonly string[] | null {
  if (given === undefined) return null;
  if (!Array.isArray(given) || !given.every((one) => typeof one === 'string')) {
    problems.push(`${name}: expected a list of texts (${FLAGS[name].about}), got ${show(given)}`);
    return [];
  }
  const own = FLAGS[name].own as readonly string[];
  for (const flag of given) {
    const bare = flag.split('=')[0];
    if (own.includes(bare)) problems.push(`${name}: expected flags that the policy does not say itself, got ${bare}`);
  }
  return given;
}

const part = (about: string, table: OptionTable) => ({ description: about, ...propertiesOf(table) });

const general = propertiesOf(GENERAL);

/** The JSON Schema of policies. */
export const retrainSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://github.com/logodds/logodds/blob/main/cli/retrain.schema.json',
  title: 'logodds retrain',
  description:
    'When a model is trained again, on what, and what must be so before it comes to the traffic. Paths are those of the file.',
  ...general,
  properties: {
    $schema: { type: 'string' },
    ...general.properties,
    triggers: {
      description: 'what starts a retraining; absent: drift, performance and calibration',
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(TRIGGERS).map(([name, { about, options }]) => [name, part(about, options)]),
      ),
    },
    watch: part('the windows that triggers look at', WATCH),
    data: part('the rows that are trained on: scores of the log that have a label', DATA),
    bounds: part('beyond these the labels are not believed, and nothing is trained', BOUNDS),
    evaluate: part(
      'whether the challenger is held against the champion again, on rows that neither was trained on; one that fails loses its rollout',
      EVALUATE,
    ),
    ...Object.fromEntries(
      Object.entries(FLAGS).map(([name, { about }]) => [
        name,
        { description: about, type: 'array', items: { type: 'string' } },
      ]),
    ),
  },
};
