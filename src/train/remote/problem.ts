import { engineOf, pickEngine } from '../../../bindings/engine.ts';
import { LogoddsError } from '../../../bindings/errors.ts';
import type { Encoder, SlotName } from '../../encode/encoder.ts';
import { isConstant, SchemaDraft } from '../../encode/infer.ts';
import type { PlainSchema } from '../../encode/schema.ts';
import { slotNames } from '../../encode/slots.ts';
import { rawMeans } from '../problem/baseline.ts';
import type { DataOptions } from '../problem/options.ts';
import { schemaOptions } from '../problem/prepare.ts';
import { trainingEncoder } from '../problem/problem.ts';
import type { SlotProfile } from '../problem/slotProfile.ts';
import { slotsOf } from '../problem/slots.ts';
import { type Standardisation, standardisation } from '../problem/standardise.ts';
import { type ProblemSummary, rareClasses } from '../problem/summary.ts';
import { classFactors, readTarget, type Target } from '../problem/target.ts';
import type { Task } from '../problem/task.ts';
import { RemoteLikelihood, type RemoteRows } from './likelihood.ts';
import type { PartStatistics, Remote, RemoteColumn } from './remote.ts';

/** A problem whose rows are on other machines, open to be fitted. */
export interface RemoteView {
  readonly tasks: readonly Task[];
  readonly observations: number;
  free(): void;
}

/**
 * `Problem` for rows on other machines: of every row they have the cells, the class, the weight and the offset, and here are sums alone.
 *
 *   statistics of the parts  →  schema, encoder  →  the parts are encoded over there  →  likelihoods that ask for sums
 *
 * The statistics are merged in the order of the parts, by the rules of `inferSchema`.
 */
export class RemoteProblem {
  readonly rows: {
    readonly target: Target;
    readonly kind: 'binomial' | 'multinomial' | 'ovr';
    readonly totalWeight: number;
  };
  readonly schema: PlainSchema;
  readonly slots: readonly SlotName[];
  readonly standard: Standardisation;
  readonly #encoder: Encoder;
  readonly #shared: RemoteRows;
  readonly #facts: Facts;
  readonly #options: DataOptions;

  /**
   * @param parts      statistics of the parts, in order
   * @param otherwise  coding of categories if the options do not set it
   * @throws as `fit`
   */
  constructor(
    remote: Remote,
    parts: readonly PartStatistics[],
    options: DataOptions,
    otherwise: 'onehot' | 'treatment',
  ) {
    refuseWhatNeedsRows(options);
    this.#options = options;
    const engine = engineOf(options.engine ?? pickEngine());
    const facts = factsOf(parts, options);
    this.#facts = facts;
    const { classes } = facts.target;
    const { multiclass = 'multinomial', weight } = options;
    this.rows = {
      target: facts.target,
      kind: classes.length === 2 ? 'binomial' : multiclass,
      totalWeight: facts.sampleWeight.reduce((sum, s) => sum + s, 0),
    };
    if (classes.length > 2 && options.offset !== undefined) {
      throw new LogoddsError(
        'ERR_TARGET',
        `offset ${JSON.stringify(options.offset)}: expected a target of two classes, got ${classes.length}; leave it out`,
      );
    }
    const draft = new SchemaDraft({
      ...schemaOptions(options, otherwise),
      exclude: [],
      categorical: options.categorical,
    });
    // weights of a sample count as many rows as there are
    const scale = weight !== undefined && options.weightKind !== 'count' ? facts.counted / this.rows.totalWeight : 1;
    for (const { features } of parts) {
      for (const [name, found] of features)
        draft.take(
          name,
          found.kind === 'numeric'
            ? { ...found, total: found.total * scale }
            : {
                ...found,
                counts: found.counts.map(([level, s]) => [level, s * scale] as const),
                gaps: found.gaps * scale,
              },
        );
    }
    this.schema = draft.finish();
    this.#encoder = trainingEncoder(this.schema);
    this.slots = slotNames(this.#encoder);
    this.standard = standardisation(this.#encoder);
    const { specs, slots } = this.#encoder;
    const empty = engine.columns(0, specs, 'f64');
    const layout = { specs, offsets: empty.offsets, slots };
    empty.free();
    const { values } = remote.ask(
      { op: 'encode', columns: columnsOf(this.#encoder), classes, factors: [...facts.factors], slots },
      [],
    );
    this.#profile = profileOf(values, facts, layout, this.standard);
    this.#shared = {
      ...{ remote, engine, layout, rows: facts.rows, batches: [] },
      totalWeight: facts.share.reduce((sum, s) => sum + s, 0),
    };
  }

  readonly #profile: Profiles;

  /** Opens the likelihoods of the rows. */
  view(): RemoteView {
    const { rows, slots, standard } = this;
    const { classes } = rows.target;
    const { facts, weighted } = { facts: this.#facts, weighted: this.#facts.share };
    const total = weighted.reduce((sum, s) => sum + s, 0);
    const positive = classes.indexOf(rows.target.positive!);
    const tasks = (
      rows.kind === 'multinomial' ? [null] : rows.kind === 'binomial' ? [positive] : classes.map((_, k) => k)
    ).map(
      (of): Task => ({
        likelihood: new RemoteLikelihood(this.#shared, of === null ? classes.length : 1, of),
        slots: slotsOf(slots),
        profile: this.#profile(of),
        outcomes: {
          rows: facts.counted,
          share: of === null ? weighted : Float64Array.of(weighted[of]),
          total,
        },
        standard,
        y: NONE,
        weight: null,
        offset: this.#options.offset === undefined ? null : new Float64Array(0),
        totalWeight: rows.totalWeight,
        cells: this.#encoder.specs.length,
        unit: facts.sampling ? new Float64Array(0) : null,
        copies: null,
      }),
    );
    return { tasks, observations: facts.sampling ? facts.rows : rows.totalWeight, free: () => {} };
  }

  /** The data that a model needs besides the fit. */
  summary(): ProblemSummary {
    const { rows, schema, slots, standard } = this;
    const { target, kind, totalWeight } = rows;
    const facts = this.#facts;
    return {
      ...{ kind, classes: target.classes, positive: target.positive, schema, slots: slotsOf(slots), standard },
      ...{ rows: facts.rows, totalWeight, weightKind: this.#options.weightKind ?? 'sampling' },
      baseline: rawMeans(this.#profile(null).sampleMean, standard),
      warnings: rareClasses(target.classes, facts.counts),
    };
  }

  free(): void {
    for (const batch of this.#shared.batches.splice(0)) batch.free();
  }
}

const NONE = new Uint8Array(0);

/** What the parts say of the rows together. */
interface Facts {
  readonly target: Target;
  readonly rows: number;
  /** rows of positive weight */
  readonly counted: number;
  /** observations of each class */
  readonly counts: Float64Array;
  /** Σ s of each class before class weights, and with them */
  readonly sampleWeight: Float64Array;
  readonly share: Float64Array;
  /** class weights */
  readonly factors: Float64Array;
  /** weights are not counts of rows */
  readonly sampling: boolean;
}

function factsOf(parts: readonly PartStatistics[], options: DataOptions): Facts {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  if (rows === 0) {
    throw new LogoddsError(
      'ERR_DATA',
      'table: expected at least one row with a target, got none; check the files or the filter',
    );
  }
  const byLabel = new Map<string, [number, number, number]>();
  for (const { target } of parts) {
    for (const [label, ...sums] of target) {
      const before = byLabel.get(label) ?? [0, 0, 0];
      byLabel.set(label, [before[0] + sums[0], before[1] + sums[1], before[2] + sums[2]]);
    }
  }
  const labels = [...byLabel.keys()];
  // its rules and refusals, on one row for each label
  const target = readTarget(
    {
      rows: labels.length,
      columns: [{ name: options.target, kind: 'coded', codes: Uint32Array.from(labels.keys()), levels: labels }],
    },
    options.target,
    options.positive,
  );
  const { classes } = target;
  const of = (at: number) => Float64Array.from(classes, (label) => byLabel.get(label)![at]);
  const sampleWeight = of(2);
  const absent = classes.filter((_, k) => !(sampleWeight[k] > 0));
  if (absent.length > 0) {
    throw new LogoddsError(
      'ERR_TARGET',
      `target ${JSON.stringify(options.target)}: expected positive weight in each class, got none in ${absent.join(', ')}; give its rows a weight above 0 or leave them out`,
    );
  }
  const { classWeight } = options;
  const factors =
    classWeight === undefined
      ? new Float64Array(classes.length).fill(1)
      : classFactors(classWeight, target, sampleWeight);
  const counted = of(1);
  const weighted = parts.some(({ weights }) => weights && !(weights.least === 1 && weights.greatest === 1));
  return {
    ...{ target, rows, sampleWeight, factors },
    counted: counted.reduce((sum, count) => sum + count, 0),
    counts: options.weightKind === 'count' ? sampleWeight : counted,
    share: sampleWeight.map((s, k) => s * factors[k]),
    sampling: factors.some((factor) => factor !== 1) || (weighted && options.weightKind !== 'count'),
  };
}

/** @throws ERR_RANGE by name */
function refuseWhatNeedsRows({ schema, trials, classWeight }: DataOptions): void {
  const refuse = (what: string, next: string): never => {
    throw new LogoddsError('ERR_RANGE', `${what}: expected none for rows on other machines, got one; ${next}`);
  };
  if (schema) refuse('schema', 'quantiles and knots need all rows, so fit with all rows in memory');
  if (trials !== undefined) refuse('trials', 'give a row for each outcome, with its count as weight');
  if (typeof classWeight === 'object' && Object.values(classWeight).includes(0))
    refuse('class weight of 0', 'leave the rows of the class out');
}

/** The columns of an encoder of plain features, as the other side writes them. */
const columnsOf = ({ turns, specs }: Encoder): RemoteColumn[] =>
  turns.map(({ feature, at, gap, unseen }): RemoteColumn => {
    if (feature.kind === 'numeric') {
      const { name, kind, mean, scale, indicator } = feature;
      return { name, kind, mean, scale, indicator, at };
    }
    const spec = specs[at];
    const { name, kind, levels } = feature as Extract<typeof feature, { kind: 'categorical' }>;
    return { name, kind, levels, at, slots: spec.kind === 'coded' ? spec.slots : 0, gap, unseen };
  });

/** Facts of the slots for a likelihood of this positive class; null: of several classes. */
type Profiles = (of: number | null) => SlotProfile & { readonly sampleMean: Float64Array };

/**
 * Facts of the slots from sums over the encoded rows: planes of `slots` numbers.
 *
 *   Σ s·x   Σ s·x²   Σ s·x by sample weights   then of each class: least and greatest x of a number, Σ s of a level, over rows of positive weight
 */
function profileOf(
  values: Float64Array,
  facts: Facts,
  { specs, offsets, slots }: RemoteRows['layout'],
  standard: Standardisation,
): Profiles {
  const plane = (at: number) => values.subarray(at * slots, (at + 1) * slots);
  const sum = (of: Float64Array) => of.reduce((total, s) => total + s, 0);
  const total = sum(facts.share);
  const sampled = sum(facts.sampleWeight);
  const mean = plane(0).map((s) => s / total);
  const square = plane(1).slice();
  const sampleMean = plane(2).map((s) => s / sampled);
  const classes = facts.share.length;
  const least = (k: number) => plane(3 + 2 * k);
  const greatest = (k: number) => plane(4 + 2 * k);
  return (of) => {
    const constant = new Uint8Array(slots);
    const separates = new Uint8Array(slots);
    const every = Array.from({ length: classes }, (_, k) => k);
    specs.forEach((spec, column) => {
      const first = offsets[column];
      if (spec.kind === 'numeric') {
        const min = (ks: readonly number[]) => Math.min(...ks.map((k) => least(k)[first]));
        const max = (ks: readonly number[]) => Math.max(...ks.map((k) => greatest(k)[first]));
        const spread = Math.sqrt(Math.max(0, square[first] / total - mean[first] ** 2));
        const { shift, scale } = { shift: standard.shift[first], scale: standard.scale[first] };
        constant[first] =
          min(every) === max(every)
            ? 1
            : 2 * Number(isConstant(facts.counted, shift + scale * mean[first], spread * scale));
        if (of === null || constant[first]) return;
        const rest = every.filter((k) => k !== of);
        separates[first] =
          max(rest) < min([of]) || max([of]) < min(rest)
            ? 2
            : Number(max(rest) === min([of]) || max([of]) === min(rest));
        return;
      }
      const own = Array.from({ length: spec.slots }, (_, k) => first + k);
      for (const slot of own) {
        const positive = of === null ? 0 : least(of)[slot];
        const negative = every.reduce((s, k) => (k === of ? s : s + least(k)[slot]), 0);
        constant[slot] = Number(positive + negative === 0);
        separates[slot] = Number(of !== null && positive > 0 !== negative > 0);
      }
      if (own.every((slot) => separates[slot] || constant[slot])) for (const slot of own) separates[slot] *= 2;
    });
    return { square, mean, constant, separates, sampleMean };
  };
}
