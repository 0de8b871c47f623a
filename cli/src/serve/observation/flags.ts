import type { OptionRow } from '../../options/table.ts';

/** What is asked of observation on the command line. */
export interface ObservationOptions {
  readonly logLevel: string;
  readonly log?: string;
  readonly logFormat: string;
  readonly logSample: string;
  readonly logEntity?: string;
  readonly logSize: string;
  readonly logAge: string;
  readonly audit?: string;
  readonly auditStrict?: boolean;
  readonly auditSync: string;
  readonly auditSize: string;
  readonly otlp?: string;
  readonly traceSample?: string;
}

/** Flags of observation, of which the command line knows before it loads what they ask for. */
export const OBSERVATION_OPTIONS: readonly OptionRow[] = [
  [
    '--log-level <level>',
    'least level of lines of the log; info has a line for each request',
    { choices: ['error', 'warn', 'info'], default: 'warn' },
  ],
  ['--log <folder>', 'write a prediction log there'],
  ['--log-format <format>', 'what its files are', { choices: ['jsonl', 'parquet'], default: 'jsonl' }],
  ['--log-sample <share>', 'share of the requests in the prediction log', { default: '1' }],
  ['--log-entity <field>', 'field with the key of an entity, or header:NAME'],
  ['--log-size <megabytes>', 'size after which its next file begins', { default: '64' }],
  ['--log-age <seconds>', 'age after which its next file begins', { default: '3600' }],
  ['--audit <file>', 'write an audit log there'],
  ['--audit-strict', 'no answer leaves before its line is in the audit log'],
  [
    '--audit-sync <when>',
    'when lines are forced to the disk',
    { choices: ['always', 'second', 'never'], default: 'second' },
  ],
  ['--audit-size <megabytes>', 'size after which its next file begins', { default: '256' }],
  ['--otlp <url>', 'export traces and metrics there by OTLP over HTTP; default OTEL_EXPORTER_OTLP_ENDPOINT'],
  ['--trace-sample <share>', 'share of the traces that begin here; default as OTEL_TRACES_SAMPLER says'],
];
