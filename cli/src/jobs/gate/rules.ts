import { between, choice, finite, integer, number, onOff, positive, text, texts } from '../../options/kinds.ts';
import { type OptionOfTable, propertiesOf } from '../../options/tableFile.ts';

/*
 * The rules of `logodds gate`: one table, of which the checks of a file of rules, its JSON Schema and the rules where no file is given are made.
 */

export interface Rule {
  readonly about: string;
  readonly options: Readonly<Record<string, OptionOfTable>>;
  /** true: a list of these may be given */
  readonly many?: true;
  /** true: in force without a file of rules. always: in every file, mentioned or not */
  readonly inForce?: true | 'always';
  /** options of which at least one must be given */
  readonly oneOf?: readonly string[];
}

const share = number(0, 1);
const byInterval = (preset: string): OptionOfTable => [
  choice('interval', 'estimate', 'evidence'),
  'interval: the whole interval must be within the limit, so that the candidate has to prove it; estimate: the figure itself must be; evidence: it fails only where the whole interval is beyond the limit',
  preset,
];
const bins: OptionOfTable = [integer(2, 1000), 'number of bins', 10];
const minRows: OptionOfTable = [integer(2, 1e9), 'groups of fewer rows are named and left out', 100];
const minPositives: OptionOfTable = [
  integer(2, 1e9),
  'with two classes, groups with fewer rows of either class are named and left out',
  20,
];

export const RULES = {
  schema: {
    about:
      'the candidate takes every record that the champion takes: fields, types, levels, missing values, ends; the classes and the positive class are the same',
    inForce: 'always',
    options: { newFields: [texts, 'fields that the candidate may require in addition'] },
  },
  scored: {
    about: 'rows that the candidate refuses, or for which it has no finite probability',
    inForce: 'always',
    options: { most: [integer(0, 1e12), 'greatest number of such rows', 0] },
  },
  rows: {
    about: 'labelled rows that both models score',
    inForce: true,
    options: { least: [integer(1, 1e12), 'least number', 500] },
  },
  positives: {
    about: 'rows of the class that has fewest (with two classes: positive or negative ones)',
    inForce: true,
    options: { least: [integer(1, 1e12), 'least number', 50] },
  },
  labelCoverage: {
    about: 'share of the rows of DATA that have a label',
    inForce: true,
    options: { least: [share, 'least share', 0.5] },
  },
  logLoss: {
    about: 'log loss of the candidate less that of the champion, in nats, with its bootstrap interval',
    inForce: true,
    options: { margin: [number(0, 100), 'how much greater it may be', 0.01], judgedBy: byInterval('interval') },
  },
  auc: {
    about:
      'area under the ROC curve of the candidate less that of the champion, with its interval (of more than two classes the mean of each against the others)',
    inForce: true,
    options: {
      margin: [share, 'how much smaller it may be', 0.01],
      method: [
        choice('delong', 'bootstrap'),
        'of the interval; default delong, with more than two classes or a cluster bootstrap',
      ],
      judgedBy: byInterval('interval'),
    },
  },
  brier: {
    about: 'Brier score of the candidate less that of the champion, with its bootstrap interval',
    options: { margin: [number(0, 2), 'how much greater it may be', 0.005], judgedBy: byInterval('interval') },
  },
  calibrationError: {
    about:
      'expected calibration error of the candidate in bins of equal width. It also passes below its floor: what 95 % of perfectly calibrated models of the same probabilities stay below on as many rows',
    inForce: true,
    options: { most: [share, 'greatest error', 0.02], bins },
  },
  calibrationIntercept: {
    about:
      'log-odds by which the probabilities of the candidate are too low on the whole, with its interval; 0 is calibrated',
    options: {
      least: [finite, 'least intercept', -0.2],
      greatest: [finite, 'greatest intercept', 0.2],
      judgedBy: byInterval('interval'),
    },
  },
  calibrationSlope: {
    about:
      'slope of the labels on the logits of the candidate, with its interval; 1 is calibrated, less is too extreme',
    options: {
      least: [finite, 'least slope', 0.8],
      greatest: [finite, 'greatest slope', 1.25],
      judgedBy: byInterval('interval'),
    },
  },
  groups: {
    about:
      'in each group of rows the candidate against the champion, with its interval; judged by evidence, the level of the intervals is raised for the number of groups (Bonferroni)',
    many: true,
    options: {
      columns: [texts, 'columns of DATA whose values are groups', null],
      metric: [choice('logLoss', 'auc', 'brier', 'ece'), 'what is compared', 'logLoss'],
      margin: [number(0, 100), 'how much worse it may be', 0.02],
      minRows,
      minPositives,
      judgedBy: byInterval('evidence'),
    },
  },
  groupGap: {
    about:
      'greatest less least figure of the candidate among the groups of a column, with the interval of these two groups',
    many: true,
    options: {
      columns: [texts, 'columns of DATA whose values are groups', null],
      metric: [
        choice('selectionRate', 'tpr', 'fpr', 'precision', 'accuracy', 'brier', 'auc'),
        'the figure',
        'selectionRate',
      ],
      most: [share, 'greatest gap', 0.1],
      minRows,
      minPositives,
      judgedBy: byInterval('evidence'),
    },
  },
  scorePsi: {
    about:
      'population stability index of the probabilities of the candidate against those of the champion on the same rows, in bins of equal frequency of the champion; of more than two classes the greatest',
    inForce: true,
    options: {
      most: [number(0, 1000), 'greatest index', 0.25],
      bins,
      epsilon: [number(1e-12, 0.01), 'share that stands for that of an empty bin', 1e-4],
    },
  },
  coefficients: {
    about: 'sign and ends of coefficients of the candidate, on the scale of the raw features',
    many: true,
    oneOf: ['sign', 'least', 'greatest'],
    options: {
      feature: [text, 'the feature', null],
      level: [text, 'its level; default every level'],
      class: [text, 'with more than two classes the class; default every class'],
      sign: [choice('positive', 'negative', 'zero'), 'the sign that every one of them has'],
      least: [finite, 'least coefficient'],
      greatest: [finite, 'greatest coefficient'],
    },
  },
  latency: {
    about: 'times of the candidate, measured on the machine that runs the gate',
    oneOf: ['medianMicros', 'p99Micros', 'loadMedianMillis', 'loadP99Millis', 'ratio'],
    options: {
      medianMicros: [positive, 'greatest median time of scoring a record, in microseconds'],
      p99Micros: [positive, 'greatest 99 % point of the same times'],
      loadMedianMillis: [positive, 'greatest median time of loading the model, in milliseconds'],
      loadP99Millis: [positive, 'greatest 99 % point of the same times'],
      ratio: [positive, 'greatest median time of scoring a record over that of the champion'],
      repetitions: [
        integer(100, 1e7),
        'records that are scored; models are loaded a hundredth as often, at least 20 times',
        10000,
      ],
    },
  },
  size: {
    about: 'size of the file of the candidate',
    options: { mostBytes: [integer(1, 1e12), 'greatest number of bytes', null] },
  },
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;

/** What a rule may have beside its own options. */
export const OPTIONAL: OptionOfTable = [
  onOff,
  'true: the gate passes although the rule cannot be checked; it fails all the same where the rule is broken',
  false,
];

/** Options of a file beside its rules. */
export const SETTINGS = {
  level: [between, 'level of all intervals', 0.95],
  replicates: [integer(100, 1e6), 'resamples of a bootstrap', 1000],
  seed: [integer(-(2 ** 31), 2 ** 32), 'seed of what is drawn', 1],
  cluster: [text, 'column of DATA: rows with the same value depend on one another, and are drawn together'],
} as const satisfies Record<string, OptionOfTable>;

export interface Settings {
  readonly level: number;
  readonly replicates: number;
  readonly seed: number;
  readonly cluster?: string;
}

/** The options of a rule, complete. */
export type Given = Readonly<Record<string, unknown>> & { readonly optional: boolean };

/** Rules that are in force, in the order of the table. */
export interface GateRules extends Settings {
  readonly rules: Readonly<Partial<Record<RuleName, readonly Given[]>>>;
}

function schemaOfRule({ about, options, many, oneOf }: Rule) {
  const one = {
    ...propertiesOf({ ...options, optional: OPTIONAL }),
    ...(oneOf && { anyOf: oneOf.map((key) => ({ required: [key] })) }),
  };
  return { description: about, ...(many ? { oneOf: [one, { type: 'array', items: one, minItems: 1 }] } : one) };
}

const settings = propertiesOf(SETTINGS);

/** The JSON Schema of files of rules. */
export const gateSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://github.com/logodds/logodds/blob/main/cli/gate.schema.json',
  title: 'logodds gate',
  description: `Rules that a candidate has to pass. Those of a file replace the default ones; schema and scored are always in force.`,
  ...settings,
  properties: {
    $schema: { type: 'string' },
    ...settings.properties,
    rules: {
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(Object.entries(RULES).map(([key, rule]) => [key, schemaOfRule(rule)])),
    },
  },
  required: ['rules'],
};
