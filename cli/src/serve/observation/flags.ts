/** What is asked of observation. */
export interface ObservationOptions {
  readonly logLevel: 'error' | 'warn' | 'info';
  readonly log?: string;
  readonly logFormat: 'jsonl' | 'parquet';
  readonly logSample: number;
  readonly logEntity?: string;
  readonly logSize: number;
  readonly logAge: number;
  /** true: all models; baseline: those that have one; false: none */
  readonly watch: boolean | 'baseline';
  readonly watchState?: string;
  readonly watchSample?: number;
  readonly watchWindow: number;
  readonly watchKeep: number;
  readonly watchRipe?: number;
  /** FEATURE=FIELD: what has the time of the value of a feature */
  readonly watchAge?: readonly string[];
  readonly watchMaxAge: number;
  readonly audit?: string;
  readonly auditStrict: boolean;
  readonly auditSync: 'always' | 'second' | 'never';
  readonly auditSize: number;
  readonly otlp?: string;
  readonly traceSample?: number;
}

/** One of several processes that share folders. */
export interface Slot {
  /** from 1 on; a process that replaces it has it too */
  readonly slot: number;
  readonly slots: number;
  /** where they keep what they watch, unless another place is asked for: it ends with them */
  readonly watchFolder: string;
  /** Asks the watch of the process that answers for all. */
  askFirst(question: unknown): Promise<unknown>;
}

/** What is wrong with where traces go; null: nothing. */
export const otlpProblem = (otlp: string | undefined): string | null =>
  otlp === undefined || (URL.canParse(otlp) && /^https?:$/.test(new URL(otlp).protocol))
    ? null
    : `expected a URL of http or https, got ${otlp}; http://127.0.0.1:4318 is usual`;
