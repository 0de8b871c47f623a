import type { Engine, Warning } from '../../../src/index.ts';
import { refuseStrangers, type Stranger, Strangers, strangerWarnings } from '../figures/strangers.ts';
import { readModel } from '../read/files.ts';
import { streamTable } from '../read/scoring.ts';
import type { SourceOptions } from '../read/source.ts';
import { refuseShared } from '../write/temporary.ts';
import { openWriter } from '../write/writers.ts';
import { engineFor } from './engine.ts';
import { type FurtherOptions, furtherColumns } from './furtherColumns.ts';

export interface ScoreOptions extends SourceOptions, FurtherOptions {
  readonly model: string;
  readonly out: string;
  readonly precision?: 'f64' | 'f32';
  /** a quote before texts of CSV that a spreadsheet would take for formulas */
  readonly csvSafe?: boolean;
  /** where no engine is given; 1 when absent. The scores are the same for any. */
  readonly threads?: number;
  readonly engine?: Engine;
  /** share of the values of a feature that training did not have: with more the job fails and leaves no output */
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
 * Scores DATA into a file: columns row, p_<class> of every class, label, and what was asked for beside. Memory is bounded whatever the size of DATA.
 * @throws ERR_OUTPUT, the errors of reading, ERR_DATA with more unseen values than `maxUnseen`; nothing is left under the name of the output then
 */
export async function scoreCommand(options: ScoreOptions): Promise<StreamResult> {
  const model = readModel(options.model);
  const { classes, positive } = model.manifest;
  const precision = options.precision ?? 'f64';
  const start = performance.now();
  refuseShared(options.out, options.model, options.data);
  const further = furtherColumns(model, options);
  const writer = await openWriter(options.out, {
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
        strangers.add(table);
        for (const share of scores.defaulted) defaulted += share;
        writer.write(scores, firstRow, further.cells(table, scores, firstRow));
      },
      options.warn ?? (() => {}),
    );
    const unseen = strangers.finish();
    refuseStrangers(unseen, options.maxUnseen);
    await writer.commit();
    const seconds = (performance.now() - start) / 1000;
    return { rows, defaulted: defaulted / rows, unseen, warnings: strangerWarnings(unseen, 'rows'), seconds };
  } catch (error) {
    writer.discard();
    throw error;
  } finally {
    scorer.free();
  }
}
