import {
  type Declaration,
  type Engine,
  type FitOptions,
  fit,
  LogoddsError,
  loadModel,
  type Model,
  outOfFold,
  saveModel,
  sliceTable,
  splitTable,
  stackModels,
  type Table,
  type Warning,
} from '../../../src/index.ts';
import { list, readTarget, selectRows, show } from '../../../src/internal.ts';
import { logLoss } from '../../../src/metrics.ts';
import { lazyEvaluation } from '../figures/evaluation.ts';
import { warningsInFlags } from '../figures/flags.ts';
import { fitFacts } from '../figures/model.ts';
import { type Compared, compare } from '../figures/paired.ts';
import { readModel } from '../read/files.ts';
import { nthOf } from '../read/gaps.ts';
import { lazyDatabase } from '../read/source.ts';
import { readTraining } from '../read/training.ts';
import { type ReportTarget, writeReport } from '../report/write.ts';
import { startPhase } from '../terminal/progress.ts';
import { assertWritable, OutputFile } from '../write/temporary.ts';
import { decideOptionOf } from './decide.ts';
import { engineFor } from './engine.ts';
import { fitOptionsOf, penaltyOptionOf } from './fitOptions.ts';
import { evaluateHeldOut, numbersOf, scoreRows } from './heldOut.ts';
import { randomHoldout } from './holdout.ts';
import { SLICE_ROWS } from './split.ts';
import {
  logitsBy,
  logitsIn,
  lookAtScores,
  probabilityOf,
  refuseClasses,
  type ScoreColumn,
  type ScoreKind,
} from './stackScores.ts';
import { NOT_SAVED } from './train.ts';
import type { TrainOptions, TrainResult } from './trainOptions.ts';

/** A base model that is fitted here: its columns (null: all that have no other use), or its schema, and its penalty. */
export interface BaseRecipe {
  readonly features: readonly string[] | null;
  readonly schema?: Declaration;
  readonly fit: Pick<FitOptions, 'C' | 'lambda' | 'l1Ratio' | 'standardize' | 'coding' | 'penalty'>;
}

/** Options of `logodds stack`, as values. */
export interface StackOptions extends Omit<TrainOptions, 'features' | 'drop' | 'numeric' | 'categorical' | 'schema'> {
  /** columns with scores of models of any origin */
  readonly scores?: readonly string[];
  readonly scoreKind?: ScoreKind;
  /** least probability that is taken as it is */
  readonly clip?: number;
  /** model files, by name */
  readonly base?: Readonly<Record<string, string>>;
  /** true: these rows are none that the bases were fitted to */
  readonly baseIsOutOfSample?: boolean;
  /** columns with scores of bases by models that did not see the row, by name of the base */
  readonly outOfFold?: Readonly<Record<string, string>>;
  /** bases that are fitted here */
  readonly fits?: Readonly<Record<string, BaseRecipe>>;
  readonly passthrough?: readonly string[];
  readonly nonnegative?: boolean;
  readonly folds?: number;
  readonly groups?: string;
  readonly time?: string;
}

/** A base, as it is told. */
export interface StackBase {
  readonly name: string;
  /** a column of scores, a model file, or fitted here in folds */
  readonly origin: 'column' | 'model' | 'folds';
  /** weight of its logit in the stack */
  readonly weight: number;
  /** of the rows the meta-learner was fitted to */
  readonly logLoss: number;
}

export interface StackResult extends Omit<TrainResult, 'seconds' | 'all' | 'unseen' | 'defaulted'> {
  /** the meta-learner, before bases were put into it */
  readonly meta: Model;
  readonly bases: readonly StackBase[];
  /** the stack, each base, their average; null: no rows are held out */
  readonly comparison: readonly Compared[] | null;
  /** whether stacking is worth it */
  readonly verdict: string | null;
  /** rows without out-of-fold scores: those of the earliest times */
  readonly unscored: number;
}

const AVERAGE = '(average)';
const STACK = '(stack)';

/** Fits bases and the meta-learner, puts them into one model, compares it on held-out rows, and saves it. @throws as `trainCommand` */
export async function stackCommand(options: StackOptions): Promise<StackResult> {
  const { out, data, target, weight, folds, groups, time, seed, clip = 1e-6 } = options;
  const { base = {}, fits = {}, scores = [], passthrough = [], outOfFold: given = {} } = options;
  const names = [...scores, ...Object.keys(base), ...Object.keys(fits)];
  if (out !== undefined) assertWritable(out, data, ...Object.values(base));
  if (options.report) assertWritable(options.report.path, out, data, ...Object.values(base));
  refuseNames(names, base, given, options.baseIsOutOfSample);
  const engine = options.engine ?? engineFor(options.threads, options.warn);
  const models = new Map(Object.entries(base).map(([name, path]) => [name, readModel(path)]));

  const { train, holdout, features, leftOut, placed } = await read(options, models);
  try {
    for (const name of names)
      if (!scores.includes(name) && [...features, target].includes(name))
        throw new LogoddsError(
          'ERR_RANGE',
          `base ${show(name)}: expected a name that no column has, got that of a column; give another`,
        );
    const phase = startPhase('fit', false);
    try {
      const common = {
        ...fitOptionsOf({ ...options, schema: undefined }, []),
        features: undefined,
        engine,
      } satisfies FitOptions;
      const notes: Warning[] = [];
      const { classes, positive } = readTarget(train, target, options.positive);
      if (positive === null)
        throw new LogoddsError(
          'ERR_TARGET',
          `target ${show(target)}: expected two classes, got ${classes.length} (${list(classes)}); make it one against the rest`,
        );
      const columns = scores.map((name) => lookAtScores(train, name, options.scoreKind, clip));
      notes.push(...columns.flatMap((one) => scoreNotes(one, train.rows, clip)));
      if (columns.length > 0)
        notes.push(
          info(
            'SCORES_TRUSTED',
            `the scores in ${list(scores)} are taken to be of models that did not see these rows; scores of the rows a model was fitted to are too good, and the stack would trust it too much`,
          ),
        );

      const logits = new Map<string, Float64Array>();
      const usedByOthers = new Set([
        ...scores,
        ...Object.values(given),
        ...[groups, time, weight].filter((one) => one !== undefined),
      ]);
      const others = features.filter((name) => !usedByOthers.has(name));
      const folding = { folds, groups, time, seed };
      for (const [name, recipe] of Object.entries(fits)) {
        phase.update(null, `base ${name}`);
        const own: FitOptions = {
          ...common,
          ...recipe.fit,
          schema: recipe.schema,
          features: recipe.schema ? undefined : [...(recipe.features ?? others)],
        } as FitOptions;
        const found = outOfFold(train, { ...own, folding });
        logits.set(name, found.planes[0]);
        const { model, warnings } = fit(train, own);
        models.set(name, model);
        notes.push(...warnings.map((one) => ({ ...one, message: `base ${show(name)}: ${one.message}` })));
      }
      for (const [name, model] of models) {
        refuseClasses(name, model, classes);
        if (logits.has(name)) continue;
        const column = given[name];
        logits.set(
          name,
          column === undefined
            ? logitsBy(model, train, positive)
            : logitsIn(train, lookAtScores(train, column, options.scoreKind, clip), clip),
        );
        if (column === undefined) notes.push(...sameRows(name, model, train, target));
      }
      // by time the earliest rows have no scores
      const kept: number[] = [];
      for (let i = 0; i < train.rows; i++) if ([...logits.values()].every((z) => !Number.isNaN(z[i]))) kept.push(i);
      if (kept.length === 0)
        throw new LogoddsError(
          'ERR_DATA',
          'stack: expected rows with a score of every base, got none; fill the columns of --out-of-fold',
        );
      const unscored = train.rows - kept.length;
      if (unscored > 0)
        notes.push(
          info(
            'UNSCORED',
            `${unscored} rows have no out-of-fold score of some base (the earliest of --time, or missing cells), and the meta-learner is fitted without them`,
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
        Uint32Array.from(kept),
      );
      phase.update(null, 'meta-learner');
      const penalty = penaltyOptionOf({
        ...options,
        ...(options.nonnegative && {
          bounds: {
            ...options.bounds,
            ...Object.fromEntries(names.map((name) => [name, [0, Number.POSITIVE_INFINITY] as const])),
          },
        }),
      });
      const { calibrate = 'none', prior, review } = options;
      const { model: meta, warnings } = fit(rows, {
        ...common,
        features: [...logits.keys(), ...scores, ...passthrough],
        schema: columns.length > 0 ? schemaOf(columns, clip) : undefined,
        penalty,
        inference: options.inference || options.robust ? { covariance: options.robust ? 'robust' : 'model' } : false,
        calibrate: calibrate === 'none' ? undefined : calibrate,
        prior,
        decide: decideOptionOf(options),
        review,
        folding,
      });
      const model = models.size > 0 ? stackModels(meta, Object.fromEntries(models)) : meta;
      phase.update(null, 'evaluate');
      const y = labelsOf(rows, target, positive);
      const sampleWeight = numbersOf(rows, weight);
      const bases = [...names].map((name): StackBase => {
        const z = logits.get(name);
        const own = z
          ? Float64Array.from(kept, (row) => z[row])
          : logitsIn(rows, columns.find((one) => one.name === name)!, clip);
        const known = own.map((one) => (Number.isNaN(one) ? 0 : one));
        return {
          name,
          origin: Object.hasOwn(fits, name) ? 'folds' : Object.hasOwn(base, name) ? 'model' : 'column',
          weight: weightOf(meta, name),
          logLoss: logLoss({ logits: known }, y, sampleWeight),
        };
      });
      const judged = holdout && judge(holdout, { model, models, columns, clip, options, engine, positive });
      const best = bases.reduce((a, b) => (b.logLoss < a.logLoss ? b : a));
      const bytes = saveModel(model);
      if (out !== undefined) {
        const file = new OutputFile(out);
        file.write(bytes);
        file.commit();
      }
      const result: StackResult = {
        model,
        meta,
        bases,
        rows: { train: train.rows, holdout: holdout?.rows ?? 0 },
        metrics: judged?.metrics ?? null,
        evaluation: judged?.evaluation ?? null,
        comparison: judged?.comparison ?? null,
        verdict: judged ? verdictOf(judged.comparison, best.name) : null,
        unscored,
        warnings: [...leftOut, ...notes, ...warningsInFlags(warnings)],
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

/** Reads the rows and holds some out: whole groups, or the latest times, where these are given. */
async function read(options: StackOptions, models: ReadonlyMap<string, Model>) {
  const {
    groups,
    time,
    scores = [],
    passthrough = [],
    outOfFold: given = {},
    fits = {},
    holdout: share = 0.2,
  } = options;
  const fields = [...models.values()].flatMap((model) => model.fields);
  const recipes = Object.values(fits);
  const needsAll = recipes.some(({ features, schema }) => features === null && !schema);
  const declared = recipes.flatMap(
    ({ schema }) => schema?.features.flatMap((one) => ('column' in one && one.column) || one.name || []) ?? [],
  );
  const used = new Set([
    ...scores,
    ...passthrough,
    ...Object.values(given),
    ...recipes.flatMap(({ features }) => features ?? []),
    ...declared,
    ...fields.map(({ name }) => name),
  ]);
  const typed = (type: string) =>
    [...new Set(fields.filter((one) => one.type === type).map(({ name }) => name))].filter((name) =>
      fields.every((one) => one.name !== name || one.type === type),
    );
  const database = lazyDatabase();
  try {
    const { table, features, largest, leftOut, placed } = await readTraining(
      database.get,
      options,
      {
        ...options,
        features: needsAll ? undefined : [...used],
        numeric: [...typed('number'), ...scores, ...Object.values(given)].filter(
          (name, i, all) => all.indexOf(name) === i,
        ),
        categorical: typed('category'),
        groups,
        time,
        holdoutBy: share === false ? undefined : (options.holdoutBy ?? time),
      },
      share || 0,
    );
    if (share === false)
      return { train: table, holdout: null, features, leftOut, placed: (error: unknown) => placed(error) };
    const heldOut = largest ?? flagsOf(table, options, share);
    const { train, holdout } = splitTable(table, heldOut);
    return {
      train,
      holdout: holdout.rows > 0 ? holdout : null,
      features,
      leftOut,
      placed: (error: unknown) => placed(error, (row) => nthOf(heldOut, 0, row)),
    };
  } finally {
    await database.close();
  }
}

/** Rows to hold out at random; with groups whole groups. */
function flagsOf(table: Table, { target, groups, seed = 1 }: StackOptions, share: number): Uint8Array {
  const column = table.columns.find(({ name }) => name === (groups ?? target))!;
  const codes = column.kind === 'coded' ? column.codes : column.values;
  const distinct = [...new Set(codes)];
  if (groups === undefined) return randomHoldout(codes, distinct.length, share, seed);
  const flags = randomHoldout(new Uint8Array(distinct.length), 1, share, seed);
  const held = new Set(distinct.filter((_, i) => flags[i]));
  return Uint8Array.from(codes, (code) => Number(held.has(code)));
}

/** @throws ERR_RANGE for names given twice, for none, and for scores of rows that a base may have been fitted to */
function refuseNames(
  names: readonly string[],
  base: object,
  given: Readonly<Record<string, string>>,
  outOfSample = false,
): void {
  const say = (what: string, expected: string, got: string, next: string) =>
    new LogoddsError('ERR_RANGE', `${what}: expected ${expected}, got ${got}; ${next}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw say('stack', 'a name of its own for each base', `${show(twice)} twice`, 'rename one');
  if (names.length === 0) throw say('stack', 'bases', 'none', 'give --scores, --base or --fit');
  const stranger = Object.keys(given).find((name) => !Object.hasOwn(base, name));
  if (stranger !== undefined)
    throw say('--out-of-fold', 'names of --base', show(stranger), 'columns without a model are --scores');
  const open = Object.keys(base).filter((name) => !Object.hasOwn(given, name));
  if (open.length > 0 && !outOfSample)
    throw say(
      `base ${list(open)}`,
      'scores of models that did not see these rows',
      'a model file, which may have been fitted to them',
      'its scores would be too good: give --out-of-fold NAME=COLUMN, fit it here with --fit, or --base-is-out-of-sample if these rows are new to it',
    );
}

/** A warning where a base was fitted to as many rows of the same target as there are here. */
function sameRows(name: string, { manifest }: Model, { rows }: Table, target: string): Warning[] {
  if (manifest.target !== target || (manifest.fit.rows !== rows && Math.abs(manifest.fit.rows / rows - 1.25) > 1e-3))
    return [];
  const message = `base ${show(name)} was fitted to ${manifest.fit.rows} rows of the target ${show(target)}, about as many as there are here; if they are the same rows, its scores are too good and so is its weight`;
  return [{ code: 'BASE_SAME_ROWS', message, features: [] }];
}

const info = (code: string, message: string): Warning => ({ code, severity: 'info', message, features: [] });

function scoreNotes({ name, kind, guessed, clipped }: ScoreColumn, rows: number, clip: number): Warning[] {
  return [
    ...(guessed
      ? [
          info(
            'SCORE_KIND',
            `the scores in ${show(name)} are taken for ${kind === 'probability' ? 'probabilities, since all are from 0 to 1' : 'logits, since some are not from 0 to 1'}; --score-kind says it`,
          ),
        ]
      : []),
    ...(clipped > 0
      ? [
          info(
            'SCORES_CLIPPED',
            `${clipped} of ${rows} probabilities in ${show(name)} are below ${clip} or above 1 − ${clip}, and are set to these ends; --clip moves them`,
          ),
        ]
      : []),
  ];
}

/** How columns of scores become logits. */
const schemaOf = (columns: readonly ScoreColumn[], clip: number): Declaration => ({
  features: columns.map(({ name, kind }) =>
    kind === 'logit'
      ? { name, kind: 'numeric' as const }
      : { name, kind: 'numeric' as const, transform: 'logit' as const, low: clip, high: 1 - clip },
  ),
  others: 'infer',
});

const labelsOf = (table: Table, target: string, positive: string): Uint8Array => {
  const column = table.columns.find(({ name }) => name === target)!;
  return Uint8Array.from({ length: table.rows }, (_, i) =>
    Number((column.kind === 'coded' ? column.levels[column.codes[i]] : String(column.values[i])) === positive),
  );
};

const weightOf = ({ encoder, weights }: Model, name: string): number => {
  const feature = encoder.schema.features.findIndex((one) => one.name === name);
  return weights[encoder.offsets[encoder.firstColumns[feature]]];
};

interface Judged {
  readonly model: Model;
  readonly models: ReadonlyMap<string, Model>;
  readonly columns: readonly ScoreColumn[];
  readonly clip: number;
  readonly options: StackOptions;
  readonly engine: Engine;
  readonly positive: string;
}

/** The stack, its bases and their average on held-out rows. */
function judge(holdout: Table, { model, models, columns, clip, options, engine, positive }: Judged) {
  const part = (start: number, end: number) => sliceTable(holdout, start, end);
  const scores = scoreRows(model, engine, part, SLICE_ROWS, holdout.rows);
  const { metrics, scored } = evaluateHeldOut(model, scores, holdout, options);
  const missing = (z: Float64Array): Float64Array => probabilityOf(z.map((one) => (Number.isNaN(one) ? 0 : one)));
  const bases = [
    ...columns.map((one) => ({ name: one.name, probabilities: missing(logitsIn(holdout, one, clip)) })),
    ...[...models].map(([name, own]) => ({ name, probabilities: probabilityOf(logitsBy(own, holdout, positive)) })),
  ];
  const average = new Float64Array(holdout.rows).map(
    (_, i) => bases.reduce((sum, { probabilities }) => sum + probabilities[i], 0) / bases.length,
  );
  const comparison = compare(
    [{ name: STACK, probabilities: scores.probabilities[0] }, ...bases, { name: AVERAGE, probabilities: average }],
    labelsOf(holdout, options.target, positive),
    numbersOf(holdout, options.weight),
  );
  return { metrics, evaluation: scored && metrics && lazyEvaluation(model, scored, metrics), comparison };
}

/** One sentence: whether the stack is better than its best base and a plain average. @param best  chosen on other rows than these */
function verdictOf(comparison: readonly Compared[], best: string): string {
  const gain = (name: string) => comparison.find((one) => one.name === name)!.gain!.logLoss;
  const said = (name: string, text: string) => {
    const { value, interval } = gain(name);
    const size = Math.abs(value).toFixed(4);
    return `${size} ${value >= 0 ? 'lower' : 'higher'} than that of ${text} (95 % interval of the gain ${interval.low.toFixed(4)} to ${interval.high.toFixed(4)})`;
  };
  const facts = `its log loss on held-out rows is ${said(best, `the best base, ${best}`)}, and ${said(AVERAGE, 'a plain average')}`;
  const rivals = [best, AVERAGE];
  if (rivals.every((name) => gain(name).interval.low > 0)) return `Stacking is worth it: ${facts}.`;
  const worse = rivals.find((name) => gain(name).interval.high < 0);
  if (worse !== undefined)
    return `Stacking is not worth it: ${facts}; use ${worse === AVERAGE ? 'the average' : worse}.`;
  const simpler = gain(best).interval.low <= 0 ? `${best} alone` : 'a plain average';
  return `Stacking is not shown to be worth it: ${facts}; ${simpler} is simpler.`;
}

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
