import { diagnose, type Engine, type Finding, type FitOptions } from '../../../src/index.ts';
import { findingsInFlags } from '../figures/flags.ts';
import { type DataOptions, lazyDatabase } from '../read/source.ts';
import { type Roles, readTraining } from '../read/training.ts';
import { startPhase } from '../terminal/progress.ts';
import { engineFor } from './engine.ts';

/** Options of `logodds doctor`, as values. */
export interface DoctorOptions
  extends DataOptions,
    Omit<Roles, 'holdoutBy'>,
    Pick<FitOptions, 'positive' | 'weightKind' | 'engine'> {
  /** where no engine is given; 1 when absent */
  readonly threads?: number;
  /** told when there are fewer threads than asked for */
  readonly warn?: (message: string) => void;
}

export interface DoctorResult {
  readonly findings: readonly Finding[];
  readonly rows: number;
  readonly features: readonly string[];
  readonly seconds: number;
}

/**
 * Reads a data set and says what is wrong with it for a logistic regression.
 * @throws the errors of reading (ERR_DATA, ERR_SCHEMA, ERR_RECORD) and of `diagnose`
 */
export async function doctorCommand(options: DoctorOptions): Promise<DoctorResult> {
  const engine: Engine = options.engine ?? engineFor(options.threads, options.warn);
  const started = performance.now();
  const database = lazyDatabase();
  const { table, features } = await readTraining(database.get, options, options, 0).finally(() => database.close());
  const phase = startPhase('diagnose', false);
  try {
    const findings = diagnose(table, {
      target: options.target,
      positive: options.positive,
      schema: options.schema,
      features: [...features],
      weight: options.weight,
      weightKind: options.weightKind,
      offset: options.offset,
      engine,
    });
    return {
      findings: findingsInFlags(findings),
      rows: table.rows,
      features,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    phase.end();
  }
}
