import { isMissing, type MlflowOptions, MlflowRest, saidOf } from './rest.ts';

/** A metric at a step. NaN stays NaN; MLflow keeps infinite ones as its largest number. */
export interface Point {
  readonly key: string;
  readonly value: number;
  readonly step: number;
}

/** Data of a run. */
export interface Dataset {
  readonly name: string;
  /** at most 36 characters */
  readonly digest: string;
  /** `training`, `evaluation` */
  readonly context: string;
}

export type RunStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED';

/** A run, as MLflow tells it. */
export interface MlflowRun {
  readonly id: string;
  readonly name: string;
  readonly experimentId: string;
  readonly status: string;
  readonly started: number;
  /** null: it goes on, or nobody said that it ended */
  readonly ended: number | null;
  readonly artifacts: string;
  readonly params: Readonly<Record<string, string>>;
  /** the last one of each */
  readonly metrics: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: readonly Dataset[];
}

/** Greatest numbers of one request, and lengths. */
export const LIMITS = { metrics: 1000, params: 100, tags: 100, runs: 1000, param: 6000, tag: 8000, key: 250 } as const;

type Pair = { readonly key: string; readonly value: string };
interface RunJson {
  readonly info: {
    readonly run_id: string;
    readonly run_name?: string;
    readonly experiment_id: string;
    readonly status: string;
    readonly start_time?: number | string;
    readonly end_time?: number | string;
    readonly artifact_uri: string;
  };
  readonly data?: {
    readonly params?: readonly Pair[];
    readonly tags?: readonly Pair[];
    readonly metrics?: readonly { readonly key: string; readonly value?: number | string }[];
  };
  readonly inputs?: {
    readonly dataset_inputs?: readonly {
      readonly dataset: { readonly name: string; readonly digest: string };
      readonly tags?: readonly Pair[];
    }[];
  };
}

/** A name that MLflow takes for a parameter, a metric or a tag: other characters become `_`. */
export const keyOf = (name: string): string => {
  const fit = name.replace(/[^\p{L}\p{N}_./:\- ]/gu, '_').slice(0, LIMITS.key);
  // neither a path that leads upwards nor one from the root
  return fit.replace(/^\/+|\/+$/g, '').replace(/(^|\/)\.{1,2}(?=\/|$)/g, '$1_') || '_';
};

/** Experiments and runs of an MLflow server. Every method throws ERR_STORE where the server refuses or does not answer. */
export class MlflowTracking {
  readonly #rest: MlflowRest;

  /** @param url  as of `MlflowRest` */
  constructor(url: string | MlflowRest, options?: MlflowOptions) {
    this.#rest = typeof url === 'string' ? new MlflowRest(url, options) : url;
  }

  get place(): string {
    return this.#rest.place;
  }

  /** The id of an experiment, which is made if it is not there. */
  async experiment(name: string): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      const found = await this.findExperiment(name);
      if (found !== null) return found;
      try {
        const { experiment_id } = await this.#rest.ask<{ experiment_id: string }>('experiments/create', {
          json: { name },
        });
        return experiment_id;
      } catch (error) {
        // somebody else was first
        if (saidOf(error)?.code !== 'RESOURCE_ALREADY_EXISTS' || attempt > 0) throw error;
      }
    }
  }

  /** The id of an experiment; null: there is none of the name. */
  async findExperiment(name: string): Promise<string | null> {
    try {
      const { experiment } = await this.#rest.ask<{ experiment: { experiment_id: string } }>(
        'experiments/get-by-name',
        { query: { experiment_name: name } },
      );
      return experiment.experiment_id;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** Names of the experiments that are not deleted, by their ids. */
  async experiments(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for await (const { experiment_id, name } of this.#pages<{ experiment_id: string; name: string }>(
      'experiments/search',
      'experiments',
      {},
    ))
      found.set(experiment_id, name);
    return found;
  }

  /** Begins a run. */
  async start(experimentId: string, name: string, tags: Readonly<Record<string, string>>): Promise<MlflowRun> {
    const json = { experiment_id: experimentId, run_name: name, start_time: this.#rest.now(), tags: pairsOf(tags) };
    const { run } = await this.#rest.ask<{ run: RunJson }>('runs/create', { json, isRepeatable: false });
    return runOf(run);
  }

  /** Logs parameters, tags and metrics in as many requests as the limits of the server ask. */
  async log(
    runId: string,
    {
      params = {},
      tags = {},
      metrics = [],
    }: {
      params?: Readonly<Record<string, string>>;
      tags?: Readonly<Record<string, string>>;
      metrics?: readonly Point[];
    },
  ): Promise<void> {
    const send = (json: object) => this.#rest.ask('runs/log-batch', { json: { run_id: runId, ...json } });
    for (const some of parts(pairsOf(params), LIMITS.params)) await send({ params: some });
    for (const some of parts(pairsOf(tags), LIMITS.tags)) await send({ tags: some });
    const timestamp = this.#rest.now();
    for (const some of parts(metrics, LIMITS.metrics))
      await send({ metrics: some.map(({ key, ...point }) => ({ key: keyOf(key), ...point, timestamp })) });
  }

  /** Says what data a run has read. */
  async data(runId: string, sets: readonly Dataset[]): Promise<void> {
    if (sets.length === 0) return;
    const datasets = sets.map(({ name, digest, context }) => ({
      dataset: {
        name: name.slice(0, 500),
        digest: digest.slice(0, 36),
        source_type: 'local',
        source: JSON.stringify({ uri: name.slice(0, 8000) }),
      },
      tags: [{ key: 'mlflow.data.context', value: context }],
    }));
    await this.#rest.ask('runs/log-inputs', { json: { run_id: runId, datasets } });
  }

  /** Ends a run. */
  async end(runId: string, status: RunStatus): Promise<void> {
    await this.#rest.ask('runs/update', { json: { run_id: runId, status, end_time: this.#rest.now() } });
  }

  /** Puts a file among the artifacts of a run. @param path  below those of the run */
  async upload({ artifacts }: Pick<MlflowRun, 'artifacts'>, path: string, bytes: Uint8Array): Promise<void> {
    await this.#rest.upload(`${this.#rest.artifactPath(artifacts)}/${path}`, bytes);
  }

  /** A file of a run; null: it is not there. */
  download({ artifacts }: Pick<MlflowRun, 'artifacts'>, path: string): Promise<Uint8Array | null> {
    return this.#rest.download(`${this.#rest.artifactPath(artifacts)}/${path}`);
  }

  /** A run; null: there is none of the id. */
  async run(id: string): Promise<MlflowRun | null> {
    try {
      return runOf((await this.#rest.ask<{ run: RunJson }>('runs/get', { query: { run_id: id } })).run);
    } catch (error) {
      // an id of another form is refused as a value
      if (isMissing(error) || saidOf(error)?.code === 'INVALID_PARAMETER_VALUE') return null;
      throw error;
    }
  }

  /** Runs of experiments, the newest first. @param most  how many */
  async runs(experimentIds: readonly string[], most: number): Promise<MlflowRun[]> {
    const found: MlflowRun[] = [];
    if (experimentIds.length === 0) return found;
    const json = { experiment_ids: experimentIds, order_by: ['attributes.start_time DESC'] };
    for await (const run of this.#pages<RunJson>('runs/search', 'runs', json)) {
      found.push(runOf(run));
      if (found.length >= most) break;
    }
    return found;
  }

  /** All values of a metric of a run, by step. */
  async history(runId: string, key: string): Promise<Point[]> {
    const found: Point[] = [];
    let token: string | undefined;
    do {
      const page = await this.#rest.ask<{
        metrics?: readonly { key: string; value?: number | string; step?: number | string }[];
        next_page_token?: string;
      }>('metrics/get-history', {
        query: { run_id: runId, metric_key: key, max_results: 25_000, page_token: token },
      });
      for (const { value = 0, step = 0 } of page.metrics ?? [])
        found.push({ key, value: Number(value), step: Number(step) });
      token = page.next_page_token || undefined;
    } while (token !== undefined);
    return found.sort((a, b) => a.step - b.step);
  }

  async *#pages<T>(path: string, member: string, json: object): AsyncGenerator<T> {
    let page_token: string | undefined;
    do {
      const page = await this.#rest.ask<Record<string, unknown>>(path, {
        json: { ...json, max_results: LIMITS.runs, ...(page_token && { page_token }) },
      });
      yield* (page[member] ?? []) as T[];
      page_token = (page['next_page_token'] as string) || undefined;
    } while (page_token !== undefined);
  }
}

function runOf({ info, data = {}, inputs = {} }: RunJson): MlflowRun {
  const pairs = (list: readonly Pair[] = []) => Object.fromEntries(list.map(({ key, value }) => [key, value]));
  return {
    id: info.run_id,
    name: info.run_name ?? '',
    experimentId: info.experiment_id,
    status: info.status,
    started: Number(info.start_time ?? 0),
    ended: info.end_time ? Number(info.end_time) : null,
    artifacts: info.artifact_uri,
    params: pairs(data.params),
    // what is 0 is absent in JSON of protobuf
    metrics: Object.fromEntries((data.metrics ?? []).map(({ key, value = 0 }) => [key, Number(value)])),
    tags: pairs(data.tags),
    data: (inputs.dataset_inputs ?? []).map(({ dataset: { name, digest }, tags }) => ({
      ...{ name, digest },
      context: pairs(tags)['mlflow.data.context'] ?? '',
    })),
  };
}

const pairsOf = (values: Readonly<Record<string, string>>): Pair[] =>
  Object.entries(values).map(([key, value]) => ({ key: keyOf(key), value }));

function* parts<T>(list: readonly T[], most: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += most) yield list.slice(at, at + most);
}
