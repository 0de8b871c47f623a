/** What is asked of observation. */
export interface ObservationOptions {
  readonly logLevel: 'error' | 'warn' | 'info';
  readonly log?: string;
  readonly logFormat: 'jsonl' | 'parquet';
  readonly logSample: number;
  readonly logEntity?: string;
  readonly logSize: number;
  readonly logAge: number;
  readonly audit?: string;
  readonly auditStrict: boolean;
  readonly auditSync: 'always' | 'second' | 'never';
  readonly auditSize: number;
  readonly otlp?: string;
  readonly traceSample?: number;
}
