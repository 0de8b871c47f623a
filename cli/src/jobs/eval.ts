import { type Engine, type Model, pickEngine } from '../../../src/index.ts';
import type { Metrics } from '../../../src/metrics.ts';
import { ColumnSummaries } from '../figures/columns.ts';
import { type Evaluation, lazyEvaluation } from '../figures/evaluation.ts';
import { warningsInFlags } from '../figures/flags.ts';
import { metricsOf } from '../figures/metrics.ts';
import { fitFacts } from '../figures/model.ts';
import { planes } from '../figures/planes.ts';
import type { ScoredRows } from '../figures/ranked.ts';
import { refuseStrangers, Strangers, strangerWarnings } from '../figures/strangers.ts';
import { Gaps } from '../read/gaps.ts';
import { findModel, type ModelPlace } from '../read/models.ts';
import { streamTable } from '../read/scoring.ts';
import type { SourceOptions } from '../read/source.ts';
import { type ReportTarget, writeReport } from '../report/write.ts';
import { assertWritable } from '../write/temporary.ts';
import type { StreamResult } from './score.ts';

export interface EvalOptions extends SourceOptions, ModelPlace {
  readonly model: string;
  /** column with the true classes; the target of the model when absent */
  readonly target?: string;
  /** column of sample weights */
  readonly weight?: string;
  /** meaning of the weights; as in the model when absent */
  readonly weightKind?: 'sampling' | 'count';
  /** largest share of a feature's values that training did not have; beyond it the job fails */
  readonly maxUnseen?: number;
  /** a page that shows the model and its performance on these rows */
  readonly report?: ReportTarget;
  readonly engine?: Engine;
  readonly warn?: (message: string) => void;
}

export interface EvalResult extends StreamResult {
  readonly model: Model;
  readonly metrics: Metrics;
  /** curves and more, computed at the first call */
  readonly evaluation: () => Evaluation;
}

/** Computes metrics of a model on labelled rows. It keeps the scores, the label and the class of each row, and nothing else of DATA. */
export async function evalCommand(options: EvalOptions): Promise<EvalResult> {
  const model = await findModel(options.model, options);
  if (options.report) assertWritable(options.report.path, options.model, options.data);
  const { target = model.manifest.target } = options;
  const start = performance.now();
  const scorer = model.scorer(options.engine ?? pickEngine(), { reuse: true });
  const logits = Array.from(model.intercept, () => new Column(Float64Array));
  const probabilities = Array.from(model.intercept, () => new Column(Float64Array));
  const labels = new Column(Uint32Array);
  const codes = new Column(Uint32Array);
  /** 1 where the row has no target */
  const without = new Column(Uint32Array);
  const weights = new Column(Float64Array);
  const columns = options.report && new ColumnSummaries([target, options.weight, model.manifest.offset]);
  const strangers = new Strangers(model);
  let defaulted = 0;
  try {
    const further = { target, weight: options.weight };
    const use: Parameters<typeof streamTable>[3] = (table, firstRow) => {
      const scores = scorer.score(table, firstRow);
      strangers.add(table);
      for (const share of scores.defaulted) defaulted += share;
      planes(scores, scores.logits).forEach((plane, k) => {
        logits[k].append(plane);
      });
      planes(scores, scores.probabilities).forEach((plane, k) => {
        probabilities[k].append(plane);
      });
      labels.append(scores.labels);
      for (const column of table.columns) {
        if (column.name === target && column.kind === 'coded') {
          codes.append(column.codes);
          without.append(column.missing ?? new Uint8Array(table.rows));
        }
        if (column.name === options.weight && column.kind === 'numeric') weights.append(column.values);
      }
      columns?.add(table, options.weight === undefined ? null : weights.view().subarray(firstRow));
    };
    const rows = await streamTable(model, options, further, use, options.warn ?? (() => {}));
    const unseen = strangers.finish();
    refuseStrangers(unseen, options.maxUnseen);
    const gaps = new Gaps([{ name: target, role: 'target' }], rows);
    gaps.add({ rows, columns: [{ missing: without.view() }] }, [0]);
    const kept = gaps.finish(options.data ?? '--query');
    const warnings = [...gaps.warnings(), ...strangerWarnings(unseen, 'rows')];
    const left = gaps.flags;
    const those = <T extends Float64Array | Uint32Array>(cells: T): T =>
      kept ? (cells.filter((_, row) => left[row] === 0) as T) : cells;
    const scored: ScoredRows = {
      logits: logits.map((column) => those(column.view())),
      probabilities: probabilities.map((column) => those(column.view())),
      labels: those(labels.view()),
      codes: those(codes.view()),
      weight: options.weight === undefined ? undefined : those(weights.view()),
      weightKind: options.weightKind ?? model.manifest.weightKind,
    };
    const metrics = metricsOf(model, scored);
    const evaluation = lazyEvaluation(model, scored, metrics);
    if (options.report) {
      await writeReport(options.report, {
        model,
        sample: 'given',
        evaluation: evaluation(),
        columns: columns!.finish(),
        warnings: [...warningsInFlags(model.manifest.warnings), ...warnings],
        facts: fitFacts(model),
        modelPath: options.model,
        sha256: model.sha256,
        data: options,
        seed: null,
      });
    }
    const seconds = (performance.now() - start) / 1000;
    return {
      model,
      rows: kept?.length ?? rows,
      metrics,
      evaluation,
      defaulted: defaulted / rows,
      unseen,
      warnings,
      seconds,
    };
  } finally {
    scorer.free();
  }
}

/** A typed array that grows. */
class Column<T extends Float64Array | Uint32Array> {
  private cells: T;
  private length = 0;
  private readonly make: new (
    length: number,
  ) => T;

  constructor(make: new (length: number) => T) {
    this.make = make;
    this.cells = new make(1024);
  }

  append(values: ArrayLike<number>): void {
    const end = this.length + values.length;
    if (end > this.cells.length) {
      const grown = new this.make(Math.max(end, 2 * this.cells.length));
      grown.set(this.cells);
      this.cells = grown;
    }
    this.cells.set(values, this.length);
    this.length = end;
  }

  view(): T {
    return this.cells.subarray(0, this.length) as T;
  }
}
