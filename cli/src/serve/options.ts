import type { OptionRow } from '../options/table.ts';
import type { AccessFlags } from './access.ts';
import type { AdmissionFlags } from './admission.ts';
import type { ObservationOptions } from './observation/flags.ts';
import type { TrustFlags } from './trust.ts';

/*
 * The options of `logodds serve`, a row each: its flag, its place in a configuration file, and what its value may be. A key of the file is the flag in
 * camel case, as commander names it: `--grpc-port` is `grpcPort`, `--no-grpc` is `grpc: false`.
 */

/** What the value of an option may be. A list is what commander collects of `<name...>`. */
export interface Kind {
  /** its JSON Schema */
  readonly schema: Readonly<Record<string, unknown>>;
  /** what is expected, in an error */
  readonly rule: string;
  /** the value of a text of the command line */
  readonly read: (text: string) => unknown;
  readonly fits: (value: unknown) => boolean;
  /** path: one that begins at the folder of the configuration file. file: one that must be there as well */
  readonly place?: 'path' | 'file';
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && !/[\n\r]/.test(value);
const line = { type: 'string', pattern: '^[^\\r\\n]+$' };
const same = (text: string): string => text;
const toNumber = (text: string): unknown =>
  text.trim() === '' ? text : Number.isNaN(Number(text)) ? text : Number(text);

const text: Kind = { schema: line, rule: 'text of one line', read: same, fits: isText };
const path: Kind = { schema: line, rule: 'a path', read: same, fits: isText, place: 'path' };
/** Secrets stand in files, never in an option. */
const file: Kind = { schema: line, rule: 'the path of a file', read: same, fits: isText, place: 'file' };
const onOff: Kind = {
  schema: { type: 'boolean' },
  rule: 'true or false',
  read: same,
  fits: (value) => typeof value === 'boolean',
};
const count = (least: number, most: number): Kind => ({
  schema: { type: 'integer', minimum: least, maximum: most },
  rule: `a whole number from ${least} to ${most}`,
  read: toNumber,
  fits: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});
const seconds = (most: number): Kind => ({
  schema: { type: 'number', minimum: 0, maximum: most },
  rule: `seconds from 0 to ${most}`,
  read: toNumber,
  fits: (value) => typeof value === 'number' && value >= 0 && value <= most,
});
/** A list of files. */
const files: Kind = {
  schema: { type: 'array', items: line, minItems: 1 },
  rule: 'a list of paths of files',
  read: same,
  fits: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
  place: 'file',
};
const list: Kind = {
  schema: { type: 'array', items: line, minItems: 1 },
  rule: 'a list of texts',
  read: same,
  fits: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
};
const pairs: Kind = {
  schema: { type: 'array', items: { type: 'string', pattern: '^[^=]+=.+$' }, minItems: 1 },
  rule: 'texts FEATURE=FIELD',
  read: same,
  fits: (value) => list.fits(value) && (value as string[]).every((text) => /^[^=]+=.+$/s.test(text)),
};
const choice = (...values: readonly string[]): Kind => ({
  schema: { type: 'string', enum: values },
  rule: `one of ${values.join(', ')}`,
  read: same,
  fits: (value) => values.includes(value as string),
});
/** A switch with a third position. */
const watched: Kind = {
  schema: { enum: [true, false, 'baseline'] },
  rule: 'true, false or baseline',
  read: same,
  fits: (value) => typeof value === 'boolean' || value === 'baseline',
};
const port = count(0, 65_535);
const share: Kind = {
  schema: { type: 'number', minimum: 0, maximum: 1 },
  rule: 'a share from 0 to 1',
  read: toNumber,
  fits: (value) => typeof value === 'number' && value >= 0 && value <= 1,
};
const megabytes: Kind = {
  schema: { type: 'number', exclusiveMinimum: 0, maximum: 1e6 },
  rule: 'megabytes above 0',
  read: toNumber,
  fits: (value) => typeof value === 'number' && value > 0 && value <= 1e6,
};
/** A whole number that memory bounds, not we. */
const many = count(1, 2 ** 40);
const mode: Kind = {
  schema: { type: 'string', pattern: '^[0-7]{3}$' },
  rule: 'three octal digits in quotes',
  read: same,
  fits: (value) => typeof value === 'string' && /^[0-7]{3}$/.test(value),
};

/** An option: its flags, its text in help, what its value may be, and what it is where nobody says. */
export type ServeRow = readonly [flags: string, text: string, kind: Kind, preset?: string | number];

/** The rows by their heading in help. */
const GROUPS: Readonly<Record<string, readonly ServeRow[]>> = {
  'Where it listens': [
    ['--host <address>', 'address to listen at', text, '127.0.0.1'],
    ['--port <number>', 'port to listen at; 0 takes a free one', port, 8080],
    ['--socket <path>', 'listen at a socket of this path, instead of --host and --port', path],
    ['--socket-mode <mode>', 'who may use the socket, in octal digits', mode, '660'],
    ['--grpc-port <number>', 'port for gRPC; 0 takes a free one', port, 8081],
    ['--no-grpc', 'no gRPC', onOff],
    ['--workers <n>', 'processes that answer', count(1, 256), 1],
    ['--open', 'listen beyond this machine without API keys', onOff],
  ],
  TLS: [
    ['--cert <file>', 'certificate for TLS, with --key; both are read again when they change', file],
    ['--key <file>', 'private key of the certificate', file],
    ['--client-ca <file>', 'certificate of the authority that clients must have theirs from', file],
  ],
  'Who may ask': [
    ['--tokens <file>', 'API keys with their scopes; read again when it changes', file],
    ['--jwks <url|file>', 'keys of an issuer whose JSON web tokens are taken, with --issuer and --audience', path],
    ['--issuer <name>', 'iss of these tokens', text],
    ['--audience <name...>', 'aud of these tokens, one of them', list],
    ['--scope-claim <name...>', 'claims that have their scopes (default: scope, scp and roles)', list],
    ['--opa <url>', 'rule of the Open Policy Agent that is asked about each request: …/v1/data/logodds/allow', text],
    ['--opa-open', 'let requests in while the agent does not answer', onOff],
    ['--cors <origin...>', 'origins of pages that may read answers in browsers', list],
  ],
  'Which models': [
    ['--trust <file...>', 'refuse models that none of these public keys signed; read again when they change', files],
    ['--revoked <file>', 'keys, models and signatures that are trusted no more; read again when it changes', file],
  ],
  Rollouts: [
    [
      '--registry <place>',
      'where models:/NAME@ALIAS are: a folder, s3://BUCKET or mlflow+https://… (default: LOGODDS_REGISTRY, else ./registry)',
      text,
    ],
    [
      '--registry-poll <seconds>',
      'time between two looks at the registry (default: 0.25; of a bucket or MLflow 1)',
      seconds(3600),
    ],
    [
      '--routes <file>',
      'JSON: segments, challengers, shadows, fallbacks and default answers of models; read again when it changes',
      file,
    ],
    [
      '--notify <target...>',
      'who is told of rollouts: https://…, alertmanager+https://…, pagerduty (key in LOGODDS_PAGERDUTY_KEY), slack (address in LOGODDS_SLACK_URL)',
      list,
    ],
  ],
  Alerts: [
    [
      '--slo <file>',
      'evaluate the objectives and conditions of this file, as of slo export, and tell whom it names; GET /alerts shows them',
      file,
    ],
    [
      '--slo-state <file>',
      'keep there what is known of budgets, alerts and silences, so that a restart forgets nothing',
      path,
    ],
  ],
  'How much at a time': [
    ['--body-limit <bytes>', 'longest body that is not a stream, inflated', many, 2 ** 24],
    ['--row-limit <number>', 'most rows of a request that is not a stream', many, 2 ** 17],
    ['--feature-limit <number>', 'most tensors, columns, or keys of a record', many, 2 ** 14],
    [
      '--timeout <seconds>',
      'longest time until a request has its turn; a client asks for less by the header timeout',
      seconds(86_400),
    ],
    [
      '--max-delay <ms>',
      'refuse requests by 503 that waited longer (bodies below 64 KiB: ten times as long); 0: never',
      count(0, 3_600_000),
      50,
    ],
    [
      '--rate-limit <number>',
      'most that one caller may ask in a second, of each process (with --workers N up to N times as much); more are refused by 429',
      many,
    ],
    ['--rate-of <unit>', 'what is counted', choice('requests', 'rows'), 'requests'],
    ['--rate-burst <number>', 'most at once after a rest (default: those of a second)', many],
  ],
  'How long clients may take': [
    ['--header-timeout <seconds>', 'time for the head of a request', seconds(3600), 20],
    ['--body-timeout <seconds>', 'time for a request whose body is read whole; streams have none', seconds(86_400), 60],
    ['--idle-timeout <seconds>', 'time in which a connection must move a byte; 0: any', seconds(86_400), 120],
    [
      '--drain-delay <seconds>',
      'time between "not ready" and the end of new connections, at a signal',
      seconds(3600),
      0.5,
    ],
    ['--grace <seconds>', 'time for what has come to be answered, from the signal on', seconds(86_400), 25],
  ],
  'What is seen': [
    [
      '--log-level <level>',
      'least level of lines of the log; info has a line for each request',
      choice('error', 'warn', 'info'),
      'warn',
    ],
    ['--otlp <url>', 'export traces and metrics there by OTLP over HTTP; default OTEL_EXPORTER_OTLP_ENDPOINT', text],
    ['--trace-sample <share>', 'share of the traces that begin here; default as OTEL_TRACES_SAMPLER says', share],
  ],
  'Prediction log': [
    ['--log <folder>', 'write a prediction log there', path],
    ['--log-format <format>', 'what its files are', choice('jsonl', 'parquet'), 'jsonl'],
    ['--log-sample <share>', 'share of the requests in the prediction log', share, 1],
    ['--log-entity <field>', 'field with the key of an entity, or header:NAME', text],
    ['--log-size <megabytes>', 'size after which its next file begins', megabytes, 64],
    ['--log-age <seconds>', 'age after which its next file begins', seconds(31_536_000), 3600],
  ],
  Watch: [
    [
      '--watch',
      'watch all requests to all models for drift and, by labels, performance (default: a tenth, of models that have a baseline)',
      watched,
      'baseline',
    ],
    [
      '--watch-state <folder>',
      'keep what was seen there, over restarts (default: the folder watch of --log, else it ends with the service)',
      path,
    ],
    [
      '--watch-sample <share>',
      'share of the requests that are watched; rows are counted of all (default: 1 with --watch, else 0.1)',
      share,
    ],
    ['--watch-window <seconds>', 'length of a window', count(2, 31_536_000), 86_400],
    ['--watch-keep <number>', 'windows that are kept', count(1, 1000), 60],
    [
      '--watch-ripe <seconds>',
      'age at which labels are there (default: by the labels that came)',
      seconds(315_360_000),
    ],
    [
      '--watch-age <feature=field...>',
      'of features, the field of a record with the time at which their value was true',
      pairs,
    ],
    ['--watch-max-age <seconds>', 'age at which such a value is stale', seconds(315_360_000), 86_400],
  ],
  'Audit log': [
    ['--audit <file>', 'write an audit log there', path],
    ['--audit-strict', 'no answer leaves before its line is in the audit log', onOff],
    ['--audit-sync <when>', 'when lines are forced to the disk', choice('always', 'second', 'never'), 'second'],
    ['--audit-size <megabytes>', 'size after which its next file begins', megabytes, 256],
  ],
  Output: [['--json', 'print one JSON object on standard output', onOff]],
};

export const ROWS: readonly ServeRow[] = Object.values(GROUPS).flat();

/** Options of `logodds serve`, complete. */
export interface ServeOptions extends AccessFlags, AdmissionFlags, ObservationOptions, TrustFlags {
  readonly models: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly socket?: string;
  readonly socketMode: string;
  readonly grpcPort: number;
  readonly grpc: boolean;
  readonly workers: number;
  readonly open: boolean;
  readonly cert?: string;
  readonly key?: string;
  readonly clientCa?: string;
  readonly registry?: string;
  readonly registryPoll?: number;
  readonly routes?: string;
  readonly notify?: readonly string[];
  readonly slo?: string;
  readonly sloState?: string;
  readonly drainDelay: number;
  readonly grace: number;
  readonly headerTimeout: number;
  readonly bodyTimeout: number;
  readonly idleTimeout: number;
  readonly json: boolean;
}

/** Flags for commander, which keeps their texts: a value is checked when it is known where all of them come from. */
export const FLAGS: readonly OptionRow[] = Object.entries(GROUPS).flatMap(([group, rows]) =>
  rows.flatMap(([flags, text, kind, preset]): OptionRow[] => [
    [
      flags,
      preset === undefined || kind === watched ? text : `${text} (default: ${preset})`,
      { group, ...(/<[^.]*>/.test(flags) && { parse: kind.read }) },
    ],
    // the third position
    ...(kind === watched ? [[flags.replace('--', '--no-'), 'watch no model', { group }] as OptionRow] : []),
  ]),
);

/** By key of a configuration file: the row, and the flag without its value. */
export const BY_KEY: ReadonlyMap<string, { readonly flag: string; readonly kind: Kind; readonly preset: unknown }> =
  new Map(
    ROWS.map(([flags, , kind, preset]) => {
      const [flag] = flags.split(' ');
      const key = flag.replace(/^--(no-)?/, '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
      const isSwitch = !flags.includes('<');
      return [key, { flag, kind, preset: isSwitch ? (preset ?? flag.startsWith('--no-')) : preset }];
    }),
  );

/** The JSON Schema of configuration files. */
export const serveSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://github.com/logodds/logodds/blob/main/cli/serve.schema.json',
  title: 'logodds serve',
  description:
    'A key is a flag of `logodds serve` in camel case. Flags win. Paths begin at the folder of the file. No secrets: paths of files that have them.',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: { type: 'string' },
    models: {
      description:
        'models: name=FILE, FILE (its stem is the name), a folder, which is watched, or models:/NAME@ALIAS of the registry',
      type: 'array',
      items: line,
    },
    ...Object.fromEntries(
      ROWS.map(([flags, text], i) => {
        const [key, { kind, preset }] = [...BY_KEY][i];
        const isTurned = flags.startsWith('--no-');
        return [
          key,
          {
            description: isTurned ? `false: ${text}` : text,
            ...kind.schema,
            ...(preset !== undefined && { default: preset }),
          },
        ];
      }),
    ),
  },
};
