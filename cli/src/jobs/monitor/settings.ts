/** Settings of `monitor --config`. */
import { LogoddsError } from '../../../../src/index.ts';
import type { ModelWatchOptions, OutcomeCosts } from '../../../../src/monitor.ts';
import { between, integer, type Kind, onOff, period, positive, secondsOf, text } from '../../options/kinds.ts';
import {
  complete,
  hasNone,
  isObject,
  type OptionTable,
  propertiesOf,
  readValues,
  refusedFor,
  show,
  type Values,
} from '../../options/tableFile.ts';

/** Columns of a log, and the names that they have where nobody says. */
export const COLUMNS = [
  'at',
  'id',
  'entity',
  'model',
  'version',
  'sha256',
  'route',
  'logit',
  'probability',
  'label',
  'inputs',
] as const;
export type LogColumn = (typeof COLUMNS)[number];

const objectOf = (
  keys: readonly string[],
  required: readonly string[],
  schema: object,
  rule: string,
  fits: (value: unknown) => boolean,
): Kind => ({
  schema: {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(keys.map((key) => [key, schema])),
    ...(required.length > 0 && { required }),
  },
  rule,
  fits: (value) =>
    isObject(value) &&
    Object.keys(value).every((key) => keys.includes(key) && fits(value[key])) &&
    required.every((key) => key in value),
});

const costs = objectOf(
  ['fp', 'fn', 'tp', 'tn'],
  ['fp', 'fn'],
  { type: 'number' },
  'an object with fp and fn, and maybe tp and tn, numbers',
  Number.isFinite,
);
const names = objectOf(
  COLUMNS,
  [],
  text.schema,
  `an object with some of ${COLUMNS.join(', ')}, each the name of a column`,
  text.fits,
);

const times: Kind = {
  schema: { type: 'object', additionalProperties: text.schema, minProperties: 1 },
  rule: 'an object of features, each with the name of what has the time of its value',
  fits: (value) => isObject(value) && Object.keys(value).length > 0 && Object.values(value).every(text.fits),
};

const TABLE = {
  window: [period('1s', '3650d'), 'length of a window', '1d'],
  windowRows: [
    integer(1, 1e12),
    'windows of so many rows instead of `window`: files in the order of their names, Parquet after JSON lines, rows as they stand',
  ],
  keep: [integer(1, 10_000), 'windows that are kept, the latest', 60],
  ripeAfter: [period('1s', '3650d'), 'age at which labels are there; where nobody says by the labels that came'],
  least: [integer(1, 1e9), 'rows that a window must have to be compared, and labels to be measured', 200],
  alpha: [between, 'level of drift, for the features of one window together', 0.05],
  runLength: [positive, 'mean number of labelled rows until a false alarm of a change, at least', 1_000_000],
  costs: [
    costs,
    'costs of decisions: false positives, false negatives, and maybe hits; where nobody says those of the model',
  ],
  groups: [text, 'categorical feature by whose levels performance is given'],
  rescore: [onOff, 'whether scores are computed again from the logged inputs and compared to the bit', true],
  sample: [integer(1, 1000), 'numbers of one block of 32 rows in this many are taken; counts are of all rows', 1],
  capacity: [integer(1, 1e8), 'scores of JSON lines that are held for their labels', 1_000_000],
  within: [
    period('1s', '3650d'),
    'how old a score of an entity may be when the outcome happens; where nobody says any age',
  ],
  skew: [period('1s', '365d'), 'how far clocks may differ', '1s'],
  ahead: [period('1s', '3650d'), 'how much later than now a score may be: later ones are counted and left out', '1d'],
  eventTimes: [
    times,
    'of features, by name, the column of Parquet and queries, or the input of JSON lines, with the time at which their value was true',
  ],
  maxAge: [period('1s', '3650d'), 'age at which a value of eventTimes is stale when it is scored', '1d'],
  columns: [names, 'names of columns in Parquet logs and queries, where they are not those of the prediction log'],
} as const satisfies OptionTable;

/** Settings that have been read. */
export interface MonitorSettings {
  readonly watch: ModelWatchOptions;
  /** names of the columns of a log */
  readonly columns: Readonly<Record<LogColumn, string>>;
  readonly withinMs: number | null;
  readonly skewMs: number;
  /** what to tell with the figures; null: nothing */
  readonly said: string | null;
  /** scores from later than now by more than this are left out */
  readonly aheadMs: number;
}

/** @throws ERR_DATA, ERR_RANGE naming everything that is wrong */
export async function readSettings(file: string | undefined): Promise<MonitorSettings> {
  if (file === undefined) return settingsOf('the default settings', {});
  const values = await readValues(`--config ${file}`, file, 'a file of settings');
  return {
    ...settingsOf(`--config ${file}`, values),
    said: hasNone(values) ? `--config ${file} has no settings: all are the default ones` : null,
  };
}

/** @throws ERR_RANGE naming everything that is wrong */
export function settingsOf(what: string, values: unknown): MonitorSettings {
  const problems: string[] = [];
  const given = values ?? {};
  if (!isObject(given)) throw refused(what, [`expected an object of settings, got ${show(values)}`]);
  const { $schema: _, ...own } = given;
  const found = complete('', own, TABLE, problems);
  if ('window' in own && 'windowRows' in own) problems.push('windowRows: expected it without window, got both');
  if (problems.length > 0) throw refused(what, problems);
  const ms = (key: string): number | null => (key in found ? 1000 * secondsOf(String(found[key])) : null);
  const [ripeAfterMs, withinMs] = [ms('ripeAfter'), ms('within')];
  const { least, alpha, runLength, rescore, sample, capacity, keep, windowRows } = found as Record<string, never>;
  return {
    watch: {
      every: windowRows === undefined ? { ms: ms('window')! } : { rows: windowRows },
      keep,
      least,
      alpha,
      runLength,
      rescore,
      sample,
      capacity,
      skewMs: ms('skew')!,
      ...(ripeAfterMs !== null && { ripeAfterMs }),
      ...(withinMs !== null && { withinMs }),
      ...('costs' in found && { costs: found['costs'] as OutcomeCosts }),
      ...('eventTimes' in found && {
        eventTimes: found['eventTimes'] as Record<string, string>,
        maxAgeMs: ms('maxAge')!,
      }),
      ...('groups' in found && { groups: String(found['groups']) }),
    },
    columns: {
      ...(Object.fromEntries(COLUMNS.map((one) => [one, one])) as Record<LogColumn, string>),
      ...(found['columns'] as Values),
    },
    withinMs,
    skewMs: ms('skew')!,
    aheadMs: ms('ahead')!,
    said: null,
  };
}

/** What the file calls options of `modelWatch`. */
const KEY_OF: Readonly<Record<string, string>> = {
  every: 'window',
  ripeAfterMs: 'ripeAfter',
  withinMs: 'within',
  skewMs: 'skew',
};

/** Makes what settings say, and names the key of the file where the model refuses one of them. */
export function fromSettings<Made>(file: string | undefined, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (file === undefined || !(error instanceof LogoddsError)) throw error;
    const [, option = ''] = /^(\w+): expected/.exec(error.detail) ?? [];
    const key = KEY_OF[option] ?? option;
    if (!Object.hasOwn(TABLE, key)) throw error;
    throw new LogoddsError(error.code, `--config ${file}, ${key}${error.detail.slice(option.length)}`, {
      cause: error,
    });
  }
}

const refused = (what: string, problems: readonly string[]) => refusedFor(what, problems, 'monitor.schema.json');

/** What `monitor.schema.json` of the package has. */
export const monitorSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Settings of logodds monitor',
  ...propertiesOf({ ...TABLE, $schema: [text, 'the address of this schema'] }),
};
