import {
  type Engine,
  type FitOptions,
  fit,
  LogoddsError,
  loadModel,
  type Model,
  saveModel,
  stackModels,
  type Table,
  type Warning,
} from '../../../../src/index.ts';
import { list, readTarget, selectRows, show } from '../../../../src/internal.ts';
import { logLoss } from '../../../../src/metrics.ts';
import { warningsInFlags } from '../../figures/flags.ts';
import { fitFacts } from '../../figures/model.ts';
import { counted } from '../../figures/wording.ts';
import { readModel } from '../../read/files.ts';
import { type ReportTarget, writeReport } from '../../report/write.ts';
import { type Phase, startPhase } from '../../terminal/progress.ts';
import { assertWritable, OutputFile } from '../../write/temporary.ts';
import { based } from '../baseline.ts';
import { decideOptionOf } from '../decide.ts';
import { engineFor } from '../engine.ts';
import { fitOptionsOf, penaltyOptionOf } from '../fitOptions.ts';
import { numbersOf } from '../heldOut.ts';
import { NOT_SAVED } from '../train.ts';
import { baseLogits, scoredRows } from './bases.ts';
import { info, refuseNames, scoreNotes } from './checks.ts';
import { judge, labelsOf, verdictOf } from './judge.ts';
import type { StackBase, StackOptions, StackResult } from './options.ts';
import { readRows } from './rows.ts';
import { CLIP, logitsIn, lookAtScores, type ScoreColumn, schemaOf } from './scores.ts';

/** Names of the bases, in their order: columns of scores, model files, those that are fitted here. */
const namesOf = ({ scores = [], base = {}, fits = {} }: StackOptions): string[] => [
  ...scores,
  ...Object.keys(base),
  ...Object.keys(fits),
];

/** Fits bases and the meta-learner, puts them into one model, compares it on held-out rows, and saves it. @throws as `trainCommand` */
export async function stackCommand(options: StackOptions): Promise<StackResult> {
  const { out, data, target, scores = [], base = {} } = options;
  const names = namesOf(options);
  if (out !== undefined) assertWritable(out, data, ...Object.values(base));
  if (options.report) assertWritable(options.report.path, out, data, ...Object.values(base));
  refuseNames(names, base, options.outOfFold ?? {}, options.baseIsOutOfSample);
  const engine = options.engine ?? engineFor(options.threads, options.warn);
  const models = new Map(Object.entries(base).map(([name, path]) => [name, readModel(path)]));

  const { train, holdout, features, leftOut, placed } = await readRows(options, models);
  try {
    for (const name of names)
      if (!scores.includes(name) && [...features, target].includes(name))
        throw new LogoddsError(
          'ERR_RANGE',
          `base ${show(name)}: expected a name that no column has, got that of a column; give another`,
        );
    const phase = startPhase('fit', false);
    try {
      const learnt = learn(train, features, models, options, engine, phase);
      const { model, bases, columns, positive } = learnt;
      phase.update(null, 'evaluate');
      const { clip = CLIP } = options;
      const judged = holdout && judge(holdout, { model, models, columns, clip, options, engine, positive });
      const best = bases.reduce((a, b) => (b.logLoss < a.logLoss ? b : a));
      const bytes = saveModel(model);
      if (out !== undefined) {
        const file = new OutputFile(out);
        file.write(bytes);
        file.commit();
      }
      const result: StackResult = {
        ...{ model, meta: learnt.meta, bases },
        rows: { train: train.rows, holdout: holdout?.rows ?? 0 },
        metrics: judged?.metrics ?? null,
        evaluation: judged?.evaluation ?? null,
        comparison: judged?.comparison ?? null,
        verdict: judged ? verdictOf(judged.comparison, best.name) : null,
        unscored: learnt.unscored,
        warnings: [...leftOut, ...learnt.notes],
        bytes: bytes.length,
      };
      if (options.report) await report(options.report, result, bytes, options);
      return result;
    } finally {
      phase.end();
    }
  } catch (error) {
    throw await placed(error);
  }
}

/** Logits of the bases, the meta-learner over them, and the stack. @param models  those of files; bases that are fitted here are added */
function learn(
  train: Table,
  features: readonly string[],
  models: Map<string, Model>,
  options: StackOptions,
  engine: Engine,
  phase: Phase,
) {
  const { target, weight, groups, time, scores = [], passthrough = [], clip = CLIP } = options;
  const { classes, positive } = readTarget(train, target, options.positive);
  if (positive === null)
    throw new LogoddsError(
      'ERR_TARGET',
      `target ${show(target)}: expected two classes, got ${classes.length} (${list(classes)}); make it one against the rest`,
    );
  const columns = scores.map((name) => lookAtScores(train, name, options.scoreKind, clip));
  const notes: Warning[] = columns.flatMap((one) => scoreNotes(one, train.rows, clip));
  if (columns.length > 0)
    notes.push(
      info(
        'SCORES_TRUSTED',
        `the scores in ${list(scores)} are taken to be of models that did not see these rows; scores of the rows a model was fitted to are too good, and the stack would trust it too much`,
      ),
    );
  const common = { ...fitOptionsOf({ ...options, schema: undefined }, []), features: undefined, engine };
  const logits = baseLogits(train, { features, models, options, common, classes, positive, notes, phase });
  const kept = scoredRows(train.rows, logits);
  const unscored = train.rows - kept.length;
  if (unscored > 0)
    notes.push(
      info(
        'UNSCORED',
        `${counted(unscored, 'row has', 'rows have')} no out-of-fold score of some base (the earliest of --time, or missing cells), and the meta-learner is fitted without them`,
      ),
    );
  const beside = [target, weight, groups, time, ...scores, ...passthrough];
  const rows = selectRows(
    {
      rows: train.rows,
      columns: [
        ...[...logits].map(([name, values]) => ({ name, kind: 'numeric' as const, values })),
        ...train.columns.filter(({ name }) => beside.includes(name)),
      ],
    },
    kept,
  );
  phase.update(null, 'meta-learner');
  const { model: meta, warnings } = fit(rows, metaOptions(options, common, [...logits.keys()], columns, clip));
  const y = labelsOf(rows, target, positive);
  const sampleWeight = numbersOf(rows, weight);
  const bases = namesOf(options).map((name): StackBase => {
    const z = logits.get(name);
    const own = z
      ? Float64Array.from(kept, (row) => z[row])
      : logitsIn(rows, columns.find((one) => one.name === name)!, clip);
    const known = own.map((one) => (Number.isNaN(one) ? 0 : one));
    return {
      name,
      origin: originOf(name, options),
      weight: weightOf(meta, name),
      logLoss: logLoss({ logits: known }, y, sampleWeight),
    };
  });
  const stacked = models.size > 0 ? stackModels(meta, Object.fromEntries(models)) : meta;
  const { model, notes: more } = based(stacked, { table: selectRows(train, kept) }, options);
  return { model, meta, bases, columns, positive, unscored, notes: [...notes, ...warningsInFlags(warnings), ...more] };
}

/** How the meta-learner is fitted. */
function metaOptions(
  options: StackOptions,
  common: FitOptions,
  modelled: readonly string[],
  columns: readonly ScoreColumn[],
  clip: number,
): FitOptions {
  const { calibrate = 'none', prior, review, folds, groups, time, seed, scores = [], passthrough = [] } = options;
  const atLeast0 = Object.fromEntries(namesOf(options).map((name) => [name, [0, Number.POSITIVE_INFINITY] as const]));
  return {
    ...common,
    features: [...modelled, ...scores, ...passthrough],
    schema: columns.length > 0 ? schemaOf(columns, clip) : undefined,
    penalty: penaltyOptionOf({
      ...options,
      ...(options.nonnegative && { bounds: { ...options.bounds, ...atLeast0 } }),
    }),
    inference: options.inference || options.robust ? { covariance: options.robust ? 'robust' : 'model' } : false,
    calibrate: calibrate === 'none' ? undefined : calibrate,
    prior,
    decide: decideOptionOf(options),
    review,
    folding: { folds, groups, time, seed },
  } as FitOptions;
}

const originOf = (name: string, { base = {}, fits = {} }: StackOptions): StackBase['origin'] =>
  Object.hasOwn(fits, name) ? 'folds' : Object.hasOwn(base, name) ? 'model' : 'column';

const weightOf = ({ encoder, weights }: Model, name: string): number => {
  const feature = encoder.schema.features.findIndex((one) => one.name === name);
  return weights[encoder.offsets[encoder.firstColumns[feature]]];
};

async function report(to: ReportTarget, result: StackResult, bytes: Uint8Array, options: StackOptions): Promise<void> {
  const { model, bases, evaluation, verdict, warnings } = result;
  await writeReport(to, {
    model,
    sample: 'held-out',
    evaluation: evaluation?.() ?? null,
    columns: null,
    warnings,
    facts: [
      ...fitFacts(model),
      ...bases.map(({ name, weight }): [string, string] => [`base ${name}`, `weight ${weight.toPrecision(4)}`]),
      ...(verdict ? [['stacking', verdict] as [string, string]] : []),
    ],
    modelPath: options.out ?? NOT_SAVED,
    sha256: loadModel(bytes).sha256,
    data: options,
    seed: options.holdout === false || options.holdoutBy !== undefined ? null : (options.seed ?? 1),
  });
}
