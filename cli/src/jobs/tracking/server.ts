import {
  keyOf,
  MLFLOW_LIMITS,
  MLMODEL,
  type MlflowRun,
  MlflowTracking,
  mlmodelOf,
  type Point,
  yamlOf,
} from '../../../../registry/src/index.ts';
import { judged } from './folder.ts';
import {
  type Listed,
  MODEL,
  type RunRecord,
  recordIn,
  recordText,
  type Shelf,
  type Sink,
  type Status,
  stepsOf,
} from './record.ts';

/** Most runs that a comparison reads. */
const MOST_RUNS = 5000;
/** Most metrics of a run of which the history is asked. */
const MOST_CURVES = 40;
const RECORD = 'logodds.json';
const TAG = 'logodds.';
const STATUS: Readonly<Record<string, Status>> = {
  ...{ RUNNING: 'running', SCHEDULED: 'running', FINISHED: 'finished', FAILED: 'failed', KILLED: 'killed' },
};

/** Runs of an MLflow server. */
export class MlflowRuns implements Sink, Shelf {
  readonly #tracking: MlflowTracking;
  #run: MlflowRun | null = null;
  /** of each curve the last step that the server has */
  readonly #logged = new Map<string, number>();

  /** @throws ERR_STORE for an address that is none */
  constructor(url: string) {
    this.#tracking = new MlflowTracking(url);
  }

  get place(): string {
    return this.#tracking.place;
  }

  async start(record: RunRecord): Promise<string> {
    const { name, experiment, command, line, process, versions, id } = record;
    const told = {
      ...{ id, command, pid: String(process.pid), place: process.place },
      ...(versions['logodds'] && { version: versions['logodds'] }),
    };
    this.#run = await this.#tracking.start(await this.#tracking.experiment(experiment), name, {
      ...Object.fromEntries(Object.entries(told).map(([key, value]) => [`${TAG}${key}`, value])),
      'mlflow.source.name': line.slice(0, MLFLOW_LIMITS.tag),
      'mlflow.source.type': 'LOCAL',
    });
    return this.#run.id;
  }

  async go(record: RunRecord): Promise<void> {
    await this.#tracking.log(this.#run!.id, { metrics: this.#points(record) });
  }

  async end(record: RunRecord, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const run = this.#run!;
    const status = record.status === 'finished' ? 'FINISHED' : 'FAILED';
    try {
      const { params, notes } = fitting(record.params);
      // all of it as it is, with what MLflow cuts
      const whole = { ...record, notes: [...record.notes, ...notes] };
      const { model, ...others } = { model: files[MODEL], ...files } as Record<string, Uint8Array>;
      await this.#tracking.log(run.id, { params, metrics: this.#points(record) });
      await this.#tracking.data(
        run.id,
        record.data.map(({ name, sha256 }) => ({
          name,
          digest: (sha256 ?? 'none').slice(0, 36),
          context: record.command === 'eval' ? 'evaluation' : 'training',
        })),
      );
      for (const [name, bytes] of Object.entries(others))
        if (name !== MODEL) await this.#tracking.upload(run, name, bytes);
      if (model && record.model) await this.#model(run, model, record.model.sha256);
      await this.#tracking.upload(run, RECORD, new TextEncoder().encode(recordText(whole)));
      const digests = record.data.flatMap(({ sha256 }) => sha256 ?? []);
      const said = [...whole.notes, ...(record.error ? [record.error] : [])].join('\n');
      const tags = {
        ...(digests.length > 0 && { [`${TAG}data.sha256`]: digests.join(' ') }),
        ...(record.model && { [`${TAG}model.sha256`]: record.model.sha256 }),
        ...(said && { 'mlflow.note.content': said.slice(0, MLFLOW_LIMITS.tag) }),
      };
      await this.#tracking.log(run.id, { tags });
    } catch (error) {
      // it would look as if it went on; what stopped it is said, not this
      await this.#tracking.end(run.id, 'FAILED').catch(() => {});
      throw error;
    }
    await this.#tracking.end(run.id, status);
  }

  async list(experiment: string | undefined): Promise<Listed> {
    const names = new Map(await this.#tracking.experiments());
    const ids = [...names].filter(([, name]) => experiment === undefined || name === experiment).map(([id]) => id);
    const found = await this.#tracking.runs(ids, MOST_RUNS);
    return {
      runs: found.map((run) => recordOf(run, names.get(run.experimentId) ?? '')),
      notes:
        found.length === MOST_RUNS
          ? [`${this.place}: these are the newest ${MOST_RUNS} runs; name an --experiment`]
          : [],
    };
  }

  async find(id: string): Promise<RunRecord | null> {
    const run = await this.#tracking.run(id);
    if (!run) return null;
    const names = await this.#tracking.experiments();
    const bytes = await this.#tracking.download(run, RECORD).catch(() => null);
    const kept = bytes && recordIn(new TextDecoder().decode(bytes));
    const told = recordOf(run, names.get(run.experimentId) ?? '');
    if (kept) return { ...kept, id: run.id, status: told.status, experiment: told.experiment };
    // of a run of others, and of one that goes on
    return { ...told, ...(await this.#curves(run)) };
  }

  /** Metrics at step 0, and of curves what the server has not yet. */
  #points(record: RunRecord): Point[] {
    const points = Object.entries(record.metrics).map(([key, value]): Point => ({ key, value, step: 0 }));
    for (const [key, values] of Object.entries(record.curves)) {
      const last = this.#logged.get(key) ?? -1;
      const steps = stepsOf(record, key);
      values.forEach((value, k) => {
        if (steps[k] > last) points.push({ key, value, step: steps[k] });
      });
      if (steps.length > 0) this.#logged.set(key, Math.max(last, steps.at(-1)!));
    }
    return points;
  }

  /** Metrics that have several values, by step. */
  async #curves({ id, metrics }: MlflowRun): Promise<Pick<RunRecord, 'curves' | 'steps'>> {
    const curves: Record<string, number[]> = {};
    const steps: Record<string, number[]> = {};
    for (const key of Object.keys(metrics).slice(0, MOST_CURVES)) {
      const points = await this.#tracking.history(id, key);
      if (points.length < 2) continue;
      curves[key] = points.map(({ value }) => value);
      steps[key] = points.map(({ step }) => step);
    }
    return { curves, steps };
  }

  /** Logs a model as MLflow's clients do, so that its pages list it and register it. */
  async #model(run: MlflowRun, bytes: Uint8Array, sha256: string): Promise<void> {
    const values = mlmodelOf({ file: bytes, sha256, runId: run.id, at: Date.now() });
    await this.#tracking.upload(run, `model/${MODEL}`, bytes);
    await this.#tracking.upload(run, `model/${MLMODEL}`, new TextEncoder().encode(yamlOf(values)));
    const { signature, ...history } = values;
    await this.#tracking.log(run.id, { tags: { 'mlflow.log-model.history': JSON.stringify([history]) } });
  }
}

/** Parameters that MLflow takes. What is longer is cut and said; what takes the name of another gets one of its own. */
function fitting(all: Readonly<Record<string, string>>) {
  const params: Record<string, string> = {};
  const notes: string[] = [];
  for (const [name, text] of Object.entries(all)) {
    const key = keyOf(name);
    params[key] = text.slice(0, MLFLOW_LIMITS.param);
    if (text.length > MLFLOW_LIMITS.param)
      notes.push(
        `parameter ${name}: MLflow takes ${MLFLOW_LIMITS.param} characters, and it has ${text.length}; ${RECORD} has all of them`,
      );
  }
  return { params, notes };
}

/** A run as MLflow tells it, by its own clients or by ours. */
function recordOf(run: MlflowRun, experiment: string): RunRecord {
  const { tags } = run;
  const sha256 = tags[`${TAG}model.sha256`];
  return judged({
    format: 1,
    ...{ id: run.id, name: run.name, experiment },
    command: tags[`${TAG}command`] ?? tags['mlflow.source.name'] ?? '',
    line: tags['mlflow.source.name'] ?? '',
    status: STATUS[run.status] ?? 'running',
    started: new Date(run.started).toISOString(),
    ended: run.ended === null ? null : new Date(run.ended).toISOString(),
    process: { place: tags[`${TAG}place`] ?? '', pid: Number(tags[`${TAG}pid`] ?? 0) },
    versions: tags[`${TAG}version`] ? { logodds: tags[`${TAG}version`]! } : {},
    params: run.params,
    metrics: run.metrics,
    curves: {},
    data: run.data.map(({ name, digest }) => ({ name, sha256: digest, bytes: null })),
    model: sha256 ? { sha256, bytes: 0 } : null,
    artifacts: [],
    notes: [],
    error: null,
  });
}
