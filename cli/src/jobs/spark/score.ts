/** Scores that Spark computes, on one machine or a cluster. */
import { join } from 'node:path';
import type { ModelPlace } from '../../read/models.ts';
import { startPhase } from '../../terminal/progress.ts';
import { discard, runFolder, writeWhole } from '../../write/temporary.ts';
import { type Events, runSpark } from './python.ts';

export interface SparkScoreOptions extends ModelPlace {
  readonly model: string;
  /** a path, a pattern, or an address that Spark reads */
  readonly data: string;
  /** a folder that is not there yet */
  readonly out: string;
  /** as Spark names it: local[*], spark://HOST:PORT, yarn, sc://HOST:PORT */
  readonly spark: string;
  readonly explain?: number;
  readonly interval?: number;
  readonly note: Events['note'];
}

export interface SparkScored {
  readonly rows: number;
  /** share of the features that took a default, over all rows */
  readonly defaulted: number;
  readonly files: number;
  /** wall time, the start of Spark included */
  readonly seconds: number;
}

/**
 * Scores DATA by Spark into a folder of parts, with the columns and bits of `scoreCommand`. The column `row` has the order of DATA.
 * @throws ERR_ENGINE where Spark cannot be run; ERR_OUTPUT where the output is there already; ERR_DATA, ERR_SCHEMA, ERR_RECORD of the data
 */
export async function scoreBySpark(options: SparkScoreOptions): Promise<SparkScored> {
  const { model, data, out, spark, explain, interval, note } = options;
  // a model of a registry becomes a file of the run
  const folder = model.startsWith('models:/') ? runFolder() : null;
  const phase = startPhase('score', true);
  try {
    const file = folder === null ? model : join(folder, 'model.safetensors');
    if (folder !== null) {
      const { fetchModel } = await import('../registry/fetch.ts');
      writeWhole(file, (await fetchModel(model, options.registry)).bytes);
    }
    const words = ['score', `--master=${spark}`, `--out=${out}`];
    if (explain !== undefined) words.push(`--explain=${explain}`);
    if (interval !== undefined) words.push(`--interval=${interval}`);
    return await runSpark<SparkScored>([...words, '--', file, data], { note, progress: phase.update });
  } finally {
    phase.end();
    if (folder !== null) discard(folder);
  }
}
