import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHAMPION, type Entry, isRunning, type ModelRegistry, versionOf } from '../../../../registry/src/index.ts';
import { correctPrior } from '../../../../src/decide.ts';
import { LogoddsError, loadModel, type Model, saveModel } from '../../../../src/index.ts';
import { baselineOf } from '../../../../src/monitor.ts';
import { counted } from '../../figures/wording.ts';
import { FileLock, Taken } from '../../serve/observation/fileLock.ts';
import { outputError, reason, writeWhole } from '../../write/temporary.ts';
import type { Finding } from '../gate/finding.ts';
import { lets } from '../gate/gate.ts';
import { openRegistry } from '../registry/open.ts';
import { objectionsOf, sharesNow, sharesOf } from './bounds.ts';
import { type Ran, runCommand } from './children.ts';
import { type History, historyOf, Journal, type Looked, type Outcome } from './journal.ts';
import { flagsLike, rulesOf, writeSchema } from './likeChampion.ts';
import { logSource } from './logs.ts';
import { writeMetrics } from './metricsFile.ts';
import type { Policy, TriggerName } from './policy.ts';
import { sightOf } from './sight.ts';
import { type TrainingSet, WEIGHT, writeTrainingSet } from './trainingSet.ts';
import { lookAt } from './triggers.ts';

export interface RetrainOptions {
  readonly policy: Policy;
  /** train whatever the triggers say */
  readonly force?: boolean;
  /** look, and do nothing */
  readonly dryRun?: boolean;
  /** milliseconds since 1970 */
  readonly now: number;
  readonly warn: (message: string) => void;
}

/** What a run came to. */
export interface RetrainResult {
  readonly run: number;
  readonly champion: number;
  readonly triggers: readonly Looked[];
  /** triggers that began it */
  readonly by: readonly string[];
  /** null: nothing was begun */
  readonly outcome: Outcome | null;
  /** the version that came of it; null: none */
  readonly version: number | null;
  /** why nothing was begun, or why it did not come to the traffic */
  readonly why: string | null;
  readonly set: TrainingSet | null;
}

/**
 * Looks whether a model is to be trained again, and does it: the rows of the log that have a label, a candidate like the champion, its gate, and a rollout. Each
 * step is in the journal before the next one begins. Whatever fails, the champion goes on answering.
 * @throws ERR_REGISTRY without a champion; ERR_DATA where another process works on the policy; the errors of reading
 */
export async function retrain(options: RetrainOptions): Promise<RetrainResult> {
  // who only looks leaves nothing, not even a folder
  if (options.dryRun) return new Run(options).go();
  const { folder } = options.policy;
  makeFolder(folder);
  const lock = await take(join(folder, 'journal.jsonl'));
  // a process that is thought gone would share its files
  const touching = setInterval(() => lock.touch(), 1000);
  try {
    return await new Run(options).go();
  } finally {
    clearInterval(touching);
    lock.release();
  }
}

/** A folder, in one that is there. @throws ERR_OUTPUT */
function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw outputError(path, error);
  }
}

async function take(path: string): Promise<FileLock> {
  try {
    return await FileLock.take(path);
  } catch (error) {
    if (!(error instanceof Taken)) throw outputError(path, error);
    throw new LogoddsError('ERR_DATA', `${path}: ${error.message}`, { cause: error });
  }
}

class Run {
  readonly #options: RetrainOptions;
  readonly #policy: Policy;
  readonly #journal: Journal;
  readonly #began = performance.now();
  #run = 0;
  /** the version that this run has pushed; null: none yet */
  #pushed: number | null = null;

  constructor(options: RetrainOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#journal = new Journal(join(options.policy.folder, 'journal.jsonl'));
  }

  async go(): Promise<RetrainResult> {
    const { warn, now, force = false, dryRun = false } = this.#options;
    const { name, triggers, minGapMs, metrics } = this.#policy;
    const registry = await openRegistry(this.#policy.registry ?? undefined);
    const { champion, model, running, trained, entry } = await championOf(registry, name);
    if (this.#journal.damaged > 0)
      warn(
        `journal: ${counted(this.#journal.damaged, 'line')} cannot be read and ${this.#journal.damaged === 1 ? 'is' : 'are'} left out`,
      );
    const history = historyOf(this.#journal.entries, champion);
    this.#run = history.next;
    if (history.open !== null && !dryRun) {
      const version = history.pushed ?? pushedBy(entry, history.open);
      const left = version === null ? '' : `. ${this.#left(version)}`;
      warn(`run ${history.open} was cut short before its end; this one begins anew${left}`);
      this.#log('ended', { outcome: 'cut short', version, why: 'the process ended' }, history.open);
    }
    const place = join(this.#policy.folder, `run-${this.#run}`);
    const files = (file: string) => join(place, file);
    if (!dryRun) {
      rmSync(place, { recursive: true, force: true });
      makeFolder(place);
      writeWhole(files('champion.safetensors'), saveModel(model));
      await this.#evaluate(registry, model, champion, history, files);
    }
    const sight = await sightOf(this.#policy, {
      champion: model,
      source: logSource(this.#policy, warn),
      since: Math.max(...[trained, history.begun.at(-1) ?? null].filter((at) => at !== null)),
      newest: history.newest,
      now,
      warn,
    });
    const looked = lookAt(triggers, sight);
    const by: TriggerName[] = looked.flatMap(({ trigger, isOn }) =>
      isOn && !history.spent.has(trigger) ? [trigger] : [],
    );
    const last = history.begun.at(-1);
    const why = force
      ? null
      : by.length === 0
        ? nothing(looked, history.spent)
        : running
          ? 'a rollout is running: another one waits for its end'
          : last !== undefined && now - last < minGapMs
            ? `the last retraining was begun ${new Date(last).toISOString()}: minGap is not over`
            : null;
    const goes = why === null && !dryRun;
    const result = { run: this.#run, champion, triggers: looked, by: force ? ['force', ...by] : by };
    if (!dryRun)
      this.#log('looked', { champion, triggers: looked, by: goes ? by : [], decision: why ?? 'train again' });
    if (!goes) {
      if (!dryRun) rmSync(place, { recursive: true, force: true });
      return { ...result, outcome: null, version: null, why, set: null };
    }
    this.#log('started', { champion, by: result.by });
    const end = (
      outcome: Outcome,
      set: TrainingSet | null,
      version: number | null,
      said: string | null,
    ): RetrainResult => {
      this.#log('ended', { outcome, version, why: said });
      if (metrics !== null) writeMetrics(metrics, name, historyOf(this.#journal.entries, champion));
      this.#tidy();
      return { ...result, outcome, version, why: said, set };
    };
    try {
      return await this.#train(model, champion, result.by, files, end);
    } catch (error) {
      const version = this.#pushed;
      end('failed', null, version, reason(error));
      if (version === null || !(error instanceof LogoddsError)) throw error;
      throw new LogoddsError(error.code, `${error.detail}. ${this.#left(version)}`, { cause: error });
    }
  }

  /** Holds the challenger against the champion again, on rows that were scored since it was pushed. */
  async #evaluate(
    registry: ModelRegistry,
    { manifest: { target, classes, positive } }: Model,
    champion: number,
    { evaluated }: History,
    files: (file: string) => string,
  ): Promise<void> {
    const { warn, now, policy } = this.#options;
    const { name, alias, evaluate, data } = policy;
    const state = await registry.state();
    const { aliases, rollout } = state.entries.get(name)!;
    const challenger = aliases.get(alias);
    if (!evaluate || challenger === undefined || challenger === champion) return;
    const last = evaluated.get(challenger);
    if (last !== undefined && now - last < evaluate.everyMs) return;
    const set = await writeTrainingSet(logSource(policy, warn), {
      ...{ data, name, target, classes, positive, now },
      after: Date.parse(versionOf(state, { name, version: challenger }).at),
      ...{ train: files('before.jsonl'), holdout: files('since.jsonl') },
    });
    const rows = set.holdoutRows;
    if (rows < evaluate.rows) {
      warn(
        `version ${challenger} is not evaluated yet: ${counted(rows, 'row')} with labels since it was pushed, of ${evaluate.rows}`,
      );
      return;
    }
    const { passed, isError, why } = await this.#gate(challenger, champion, target, set, files('since.jsonl'));
    if (isError) {
      warn(`version ${challenger} could not be evaluated: ${why}`);
      return;
    }
    this.#log('evaluated', { challenger, champion, rows, passed, why });
    if (passed) return;
    warn(`version ${challenger} no longer passes its gate: ${why}`);
    if (rollout && isRunning(state.entries.get(name)!) && rollout.challenger === challenger)
      need(
        await this.#command(['rollout', 'abort', name, '--why', `evaluation: ${why}`.slice(0, 500), ...this.#place()]),
      );
  }

  async #train(
    model: Model,
    champion: number,
    by: readonly string[],
    files: (file: string) => string,
    end: (outcome: Outcome, set: TrainingSet | null, version: number | null, why: string | null) => RetrainResult,
  ): Promise<RetrainResult> {
    const { policy } = this.#options;
    const { name, data } = policy;
    const { target, classes, positive, baseline } = model.manifest;
    const set = await writeTrainingSet(logSource(policy, this.#options.warn), {
      ...{ data, name, target, classes, positive, now: this.#options.now },
      train: files('train.jsonl'),
      holdout: files('holdout.jsonl'),
    });
    const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
    this.#log('set', { ...set, oldest: time(set.oldest), newest: time(set.newest) });
    const shares = baseline ? sharesOfBaseline(model) : null;
    const objections = objectionsOf(set, policy, shares);
    const others = objections.filter(({ kind }) => kind !== 'labelShift');
    const isShifted = objections.length > others.length;
    const corrects = isShifted && others.length === 0 && policy.onLabelShift === 'correct';
    if (objections.length > 0 && !corrects) {
      const why = objections.map(({ sentence }) => sentence);
      this.#log('refused', { why });
      return end('refused', set, null, why.join('; '));
    }
    const candidate = files('candidate.safetensors');
    if (corrects) this.#correct(model, shares!, sharesNow(set, data.ofClass), candidate);
    else await this.#fit(model, set, files, candidate);

    const why = `retraining ${this.#run} (${by.join(', ')})`;
    const pushed = await this.#command([
      ...['push', candidate, '--name', name, '--parent', String(champion), '--tag', `retraining=${this.#run}`],
      ...['--data', files(corrects ? 'holdout.jsonl' : 'train.jsonl'), '--why', why, '--json', ...this.#place()],
    ]);
    need(pushed);
    const { version } = JSON.parse(pushed.out) as { readonly version: number };
    this.#pushed = version;
    this.#log('pushed', { version });
    const verdict = await this.#gate(version, champion, target, set, files('holdout.jsonl'));
    if (verdict.isError) throw new LogoddsError('ERR_DATA', `logodds gate: ${verdict.why}`);
    if (!verdict.passed) return end('gate failed', set, version, verdict.why);
    need(
      await this.#command(['registry', 'alias', name, String(version), policy.alias, '--why', why, ...this.#place()]),
    );
    if (policy.rollout === null) return end('named', set, version, null);
    need(
      await this.#command([
        ...[
          'rollout',
          'start',
          name,
          '--challenger',
          String(version),
          '--why',
          why,
          ...this.#place(),
          ...policy.rollout,
        ],
      ]),
    );
    return end('rollout', set, version, null);
  }

  /** Holds a version against the champion. @param data  rows with labels, in a file of the run */
  async #gate(
    version: number,
    champion: number,
    target: string,
    { isWeighted }: TrainingSet,
    data: string,
  ): Promise<Verdict> {
    const { name, gate } = this.#policy;
    const gated = await this.#command([
      ...['gate', reference(name, version), '--against', reference(name, champion), '--data', data],
      ...['--target', target, ...(isWeighted ? ['--weight', WEIGHT] : []), '--json', ...this.#place()],
      ...rulesOf(gate, join(dirname(data), 'gate.json')),
      ...gate,
    ]);
    return verdictOf(gated);
  }

  /** The champion with the shares of the classes that the labels have. */
  #correct(
    model: Model,
    from: Readonly<Record<string, number>>,
    to: Readonly<Record<string, number>>,
    out: string,
  ): void {
    const corrected = correctPrior(
      loadModel(saveModel(model)),
      to,
      model.manifest.calibration?.prior ? undefined : from,
    );
    writeWhole(out, saveModel(corrected));
    this.#log('corrected', { from, to });
  }

  /** Trains a candidate: from the estimates of the champion where its levels are still those of the rows. */
  async #fit(champion: Model, set: TrainingSet, files: (file: string) => string, out: string): Promise<void> {
    const { train } = this.#policy;
    const schema = train.some((flag) => flag.split('=')[0] === '--schema')
      ? { flags: [], notes: [] }
      : writeSchema(champion, train, files('schema.json'));
    for (const one of schema.notes) this.#options.warn(`schema: ${one}`);
    const words = [
      ...['train', files('train.jsonl'), '--target', champion.manifest.target, '--no-holdout', '--out', out, '--json'],
      ...schema.flags,
      ...(set.isWeighted ? ['--weight', WEIGHT] : []),
      ...flagsLike(champion, train),
      ...train,
    ];
    const warm = await this.#command([...words, '--start', files('champion.safetensors')]);
    if (warm.status === 0) return;
    if (!/start: expected a model of the same features/.test(warm.said)) need(warm);
    this.#options.warn('the rows have other levels than the champion: the fit does not start from it');
    need(await this.#command(words));
  }

  async #command(words: readonly string[]): Promise<Ran> {
    const ran = await runCommand(words, this.#policy.home);
    const { command, status, seconds, said } = ran;
    this.#log('ran', { command, status, seconds: Number(seconds.toFixed(3)), said: said.slice(-2000) });
    return ran;
  }

  #place(): readonly string[] {
    const { registry } = this.#policy;
    return registry === null ? [] : ['--registry', registry];
  }

  #log<K extends Parameters<Journal['append']>[1]>(
    step: K,
    what: Parameters<typeof Journal.prototype.append<K>>[3],
    run = this.#run,
  ): void {
    // of the clock of the run, which --now has set
    this.#journal.append(run, step, this.#options.now + Math.floor(performance.now() - this.#began), what);
  }

  /** What is to be done with a version that a run has left. */
  #left(version: number): string {
    const { name, alias } = this.#policy;
    const at = this.#place().join(' ');
    const words = (rest: string) => `logodds ${rest}${at && ` ${at}`}`;
    return `Version ${version} of ${name} is pushed: ${words(`registry show ${name}`)} says what its gate said and who gets it; ${words(`registry alias ${name} ${version} ${alias}`)} goes on where the gate has passed, ${words(`registry retire ${name} ${version}`)} takes it out`;
  }

  /** Removes the files of runs that are older than those that are kept. */
  #tidy(): void {
    const { folder, keep } = this.#policy;
    const runs = readdirSync(folder).flatMap((name) => (/^run-(\d+)$/.test(name) ? [Number(name.slice(4))] : []));
    for (const run of runs.sort((a, b) => b - a).slice(keep))
      rmSync(join(folder, `run-${run}`), { recursive: true, force: true });
  }
}

const reference = (name: string, version: number): string => `models:/${encodeURIComponent(name)}/${version}`;

/** @throws ERR_DATA with what a command said */
function need({ command, status, said }: Ran): void {
  if (status === 0) return;
  const [word] = command.split(' ').slice(1);
  const sentence = said.split('\n').at(-1) || `exit status ${status}`;
  throw new LogoddsError('ERR_DATA', `logodds ${word}: ${sentence.replace(/^ERR_\w+ /, '')}`);
}

/** What a gate said: it passed, it did not and why, or it could not tell. */
interface Verdict {
  readonly passed: boolean;
  /** it could not tell */
  readonly isError: boolean;
  readonly why: string | null;
}

function verdictOf({ status, out, said }: Ran): Verdict {
  if (status === 0) return { passed: true, isError: false, why: null };
  try {
    const { findings, error } = JSON.parse(out) as {
      readonly findings?: readonly Finding[];
      readonly error?: { readonly message: string };
    };
    if (!findings) return { passed: false, isError: true, why: error?.message ?? said };
    const bad = findings.filter((finding) => !lets(finding));
    return { passed: false, isError: false, why: bad.map(({ sentence }) => sentence).join('; ') };
  } catch {
    return { passed: false, isError: true, why: said };
  }
}

/** @throws ERR_REGISTRY without a champion; ERR_SCHEMA for one with private features, which no log has */
async function championOf(registry: ModelRegistry, name: string) {
  const state = await registry.state();
  const entry = state.entries.get(name);
  const champion = entry?.aliases.get(CHAMPION);
  if (!entry || champion === undefined)
    throw new LogoddsError(
      'ERR_REGISTRY' as never,
      `${name}: expected a champion in ${registry.place}, which candidates are held against, got none; logodds registry alias ${name} VERSION champion`,
    );
  const version = versionOf(state, { name, version: champion });
  const model = loadModel(await registry.file(version));
  const hidden = model.manifest.schema.features.filter((feature) => feature.private).map((feature) => feature.name);
  if (hidden.length > 0)
    throw new LogoddsError(
      'ERR_SCHEMA',
      `${name}: expected a champion whose inputs are logged, got private features, which are in no log: ${hidden.slice(0, 5).join(', ')}; train it with logodds train on data that has them`,
    );
  return { champion, model, running: isRunning(entry), trained: Date.parse(version.at), entry };
}

/** The version that a run has pushed, by its tag; null: none. */
function pushedBy({ versions }: Entry, run: number): number | null {
  const own = [...versions.values()].filter(({ tags }) => tags['retraining'] === String(run));
  return own.at(-1)?.version ?? null;
}

function sharesOfBaseline(model: Model): Record<string, number> | null {
  const { classes } = baselineOf(model);
  if (classes.size === 0) return null;
  return sharesOf(Object.fromEntries([...classes].map(([label, { rows }]) => [label, rows])));
}

function nothing(looked: readonly Looked[], spent: ReadonlySet<TriggerName>): string {
  const held = looked.filter(({ trigger, isOn }) => isOn && spent.has(trigger)).map(({ trigger }) => trigger);
  if (held.length > 0) return `${held.join(', ')}: has begun a retraining before and has not ended since`;
  return 'no trigger speaks';
}
