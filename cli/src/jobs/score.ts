import type { Engine, Model, Warning } from '../../../src/index.ts';
import { refuseStrangers, type Stranger, Strangers, strangerWarnings } from '../figures/strangers.ts';
import { findModel, type ModelPlace } from '../read/models.ts';
import { streamTable } from '../read/scoring.ts';
import type { SourceOptions } from '../read/source.ts';
import { refuseShared } from '../write/temporary.ts';
import { openWriter } from '../write/writers.ts';
import { engineFor } from './engine.ts';
import { type FurtherOptions, furtherColumns } from './furtherColumns.ts';

export interface ScoreOptions extends SourceOptions, FurtherOptions, ModelPlace {
  readonly model: string;
  readonly out: string;
  readonly precision?: 'f64' | 'f32';
  /** put ' before CSV texts that a spreadsheet would run as formulas */
  readonly csvSafe?: boolean;
  /** used if no engine is given; 1 when absent. Scores are the same for any number. */
  readonly threads?: number;
  readonly engine?: Engine;
  /** largest share of a feature's values that training did not have; beyond it the job fails and leaves no output */
  readonly maxUnseen?: number;
  /** told what is ignored */
  readonly warn?: (message: string) => void;
}

export interface StreamResult {
  readonly rows: number;
  /** share of the features that took a default (a cell was missing, unseen or out of range), over all rows */
  readonly defaulted: number;
  /** values that training did not have, by feature, the greatest share first */
  readonly unseen: readonly Stranger[];
  readonly warnings: readonly Warning[];
  /** wall time from the first look at DATA to the end of the output */
  readonly seconds: number;
}

/**
 * Scores DATA into a file with the columns row, p_<class> of every class, label, and the requested further ones. Memory is bounded, whatever
 * the size of DATA.
 * @throws ERR_OUTPUT, the errors of reading, ERR_DATA with more unseen values than `maxUnseen`; the output file then does not exist
 */
export async function scoreCommand(options: ScoreOptions): Promise<StreamResult> {
  const model = await findModel(options.model, options);
  const start = performance.now();
  refuseShared(options.out, options.model, options.data);
  const { rows, defaulted, strangers } = await scoreInto(model, options);
  const unseen = strangers.finish();
  const seconds = (performance.now() - start) / 1000;
  return { rows, defaulted: defaulted / rows, unseen, warnings: strangerWarnings(unseen, 'rows'), seconds };
}

/** What is known of rows that were scored. */
export interface Scored {
  readonly rows: number;
  /** sum of the shares of features that took a default */
  readonly defaulted: number;
  readonly strangers: Strangers;
}

/** As `scoreCommand`, with a model. */
export async function scoreInto(model: Model, options: Omit<ScoreOptions, 'model'>): Promise<Scored> {
  const { classes, positive } = model.manifest;
  const precision = options.precision ?? 'f64';
  const further = furtherColumns(model, options);
  const writer = openWriter(options.out, {
    ...{ classes, positive, precision },
    further: further.columns,
    safe: options.csvSafe,
  });
  const engine = options.engine ?? engineFor(options.threads, options.warn);
  const scorer = model.scorer(engine, { precision, reuse: true });
  const strangers = new Strangers(model);
  let defaulted = 0;
  try {
    const rows = await streamTable(
      model,
      options,
      {},
      (table, firstRow) => {
        const scores = scorer.score(table, firstRow);
        let [sum, beyond] = [defaulted, 0];
        for (let i = 0; i < scores.rows; i++) {
          sum += scores.defaulted[i];
          beyond += scores.outOfRange[i];
        }
        strangers.add(table, sum === defaulted && beyond === 0);
        defaulted = sum;
        return writer.write(scores, firstRow, further.cells(table, scores, firstRow));
      },
      options.warn ?? (() => {}),
    );
    refuseStrangers(strangers.finish(), options.maxUnseen);
    await writer.commit();
    return { rows, defaulted, strangers };
  } catch (error) {
    await writer.discard();
    throw error;
  } finally {
    scorer.free();
  }
}
