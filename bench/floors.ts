import { best, type Case, ratio, type Unit } from './timings.ts';

/** A ratio that must hold: how many times longer `rival` takes than `mine` in `case` of `suite`. */
export interface Floor {
  readonly work: string;
  readonly suite: string;
  /** name of the case */
  readonly case: string;
  /** name of the timing of the engine; the first of the case unless given */
  readonly mine?: string;
  /** how the name of the rival starts; of several, the fastest counts */
  readonly rival: string;
  readonly floor: number;
}

const READ = 'read ×';

/** What the benchmark must show. */
export const floors: readonly Floor[] = [
  {
    work: 'rows f32, 1 GiB, of the best read rate',
    suite: 'rows',
    case: 'logits, rows f32, 8Mi × 32',
    rival: READ,
    floor: 0.9,
  },
  {
    work: 'columns f32, 1 GiB, of the best read rate',
    suite: 'columns',
    case: 'logits, numeric columns f32, 8Mi × 32',
    rival: READ,
    floor: 0.9,
  },
  {
    work: 'rows f32 in cache, of the read rate there',
    suite: 'rows',
    case: 'logits, rows f32, 1024 × 32',
    rival: READ,
    floor: 0.6,
  },
  {
    work: 'rows f32 in cache, against plain JavaScript',
    suite: 'rows',
    case: 'logits, rows f32, 1024 × 32',
    rival: 'plain JavaScript',
    floor: 30,
  },
  {
    work: 'rows f32, 1 GiB, against plain JavaScript',
    suite: 'rows',
    case: 'logits, rows f32, 8Mi × 32',
    rival: 'plain JavaScript',
    floor: 8,
  },
  ...(
    [
      ['1 × 32', 'onnxruntime-node', 80],
      ['1024 × 32', 'onnxruntime-node', 5],
      ['1M × 32', 'onnxruntime-node', 1.6],
      ['1024 × 32', 'TensorFlow.js WASM', 5],
      ['1024 × 32', 'onnxruntime-web', 5],
      ['1M × 32', 'numpy', 1.1],
      ['64Ki × 4096', 'numpy', 0.85],
      ['1M × 32', 'scikit-learn predict_proba', 2.5],
    ] as const
  ).map(([size, rival, floor]) => ({
    work: `probabilities f32, ${size}, against ${rival}`,
    suite: 'rows',
    case: `probabilities, rows f32, ${size}`,
    // the formula of the issue by its whole name; variants are shown beside it
    rival: rival === 'numpy' ? '=numpy' : rival,
    floor,
  })),
  ...(['ones', 'values'] as const).map((kind) => ({
    work: `sparse f32 (${kind}), 1M × 2¹⁸, against SciPy CSR`,
    suite: 'sparse',
    case: `probabilities, sparse ${kind} f32, 1M × 256Ki, 40 a row`,
    rival: 'scipy CSR',
    floor: 1.2,
  })),
  {
    work: '8 weight vectors in one pass, against 8 passes, f32, 1 GiB',
    suite: 'rows',
    case: 'logits, rows f32, 8Mi × 32, 8 weight vectors',
    rival: 'logodds, 8 passes',
    floor: 3,
  },
  {
    work: 'loss and gradient, rows f32, 1 GiB, of the read rate',
    suite: 'gradient',
    case: 'gradient, rows f32, 8Mi × 32',
    rival: READ,
    floor: 0.6,
  },
  {
    work: "loss and gradient, rows f32, 1 GiB, against numpy's two passes",
    suite: 'gradient',
    case: 'gradient, rows f32, 8Mi × 32',
    rival: 'numpy, two passes',
    floor: 1,
  },
  {
    work: 'Hessian f32, d = 32, against OpenBLAS X.T @ (X*s)',
    suite: 'hessian',
    case: 'Hessian, rows f32, 1M × 32',
    rival: '=numpy',
    floor: 1.5,
  },
  {
    work: 'Hessian f32, d = 256, against OpenBLAS X.T @ (X*s)',
    suite: 'hessian',
    case: 'Hessian, rows f32, 64Ki × 256',
    rival: '=numpy',
    floor: 0.5,
  },
  {
    work: 'Hessian of coded columns (flights), against tabmat',
    suite: 'hessian',
    case: 'Hessian, coded columns f64, 3M × 5',
    rival: 'tabmat sandwich',
    floor: 1.5,
  },
  {
    work: 'two threads against one: rows f32, 1 GiB',
    suite: 'threads',
    case: 'logits, rows f32, 8Mi × 32, threads',
    mine: 'logodds, 2 threads',
    rival: '=logodds, 1 thread',
    floor: 1.5,
  },
  {
    work: 'two threads against one: Hessian f32, d = 32',
    suite: 'threads',
    case: 'Hessian, rows f32, 1M × 32, threads',
    mine: 'logodds, 2 threads',
    rival: '=logodds, 1 thread',
    floor: 1.8,
  },
  ...['Node', 'Node, with an engine', 'workerd, with an engine'].map((host) => ({
    work: `first score of a model of 200 features in ${host}, against 4 ms`,
    suite: 'start',
    case: `first score, 200 features, ${host}`,
    rival: '4 ms',
    floor: 1,
  })),
  {
    work: 'records of 20 fields to calibrated probabilities, against 1.5 million a second',
    suite: 'pipeline',
    case: 'calibrated probabilities, 1000 records of 20 fields',
    rival: '1.5 million a second',
    floor: 1,
  },
  {
    work: 'the same by a compiled model',
    suite: 'pipeline',
    case: 'calibrated probabilities, 1000 records of 20 fields, compiled',
    rival: '1.5 million a second',
    floor: 2,
  },
  {
    work: 'the same from JSON text, of the rate of JSON.parse alone',
    suite: 'pipeline',
    case: 'calibrated probabilities, JSON text of 1000 records',
    rival: 'JSON.parse alone',
    floor: 0.5,
  },
  ...(
    [
      // of the same bytes: an array of them is another text
      ['JSON.parse alone, line by line', 'JSON.parse alone', 6],
      ['parse and score', 'JSON.parse and Model.score', 7],
      ['Rust, ', 'the fastest of sonic-rs and simd-json in Rust', 0.5],
    ] as const
  ).map(([rival, program, floor]) => ({
    work: `JSON lines of 20 fields to calibrated probabilities, against ${program}`,
    suite: 'bytes',
    case: 'JSON lines of 20 fields to probabilities',
    rival,
    floor,
  })),
  {
    work: 'CSV of 20 columns to calibrated probabilities, against DuckDB’s scan of it',
    suite: 'bytes',
    case: 'CSV of 20 columns to probabilities',
    rival: 'DuckDB’s scan',
    floor: 1,
  },
  {
    work: 'one JSON record of 300 bytes to a probability, against JSON.parse alone',
    suite: 'bytes',
    case: 'one JSON record of 300 bytes to a probability',
    rival: 'JSON.parse alone',
    floor: 3,
  },
  ...(
    [
      ['1 record', 'scikit-learn from records', 50],
      ['10000 records', 'scikit-learn from records', 10],
      ['10000 records', 'scikit-learn from a frame', 10],
    ] as const
  ).map(([size, rival, floor]) => ({
    work: `calibrated probabilities, ${size} of 20 fields, against a pipeline of ${rival}`,
    suite: 'pipeline',
    case: `calibrated probabilities, ${size} of 20 fields, with scikit-learn`,
    rival,
    floor,
  })),
  ...(['f32', 'f64'] as const).map((precision) => ({
    work: `fit, dense ${precision}, 200k × 100, L2, against scikit-learn`,
    suite: 'train-dense',
    case: `fit, dense ${precision}, 200000 × 100, L2`,
    rival: 'scikit-learn',
    floor: 2,
  })),
  {
    work: 'AUC of 10M scores, against two sorts of a Float64Array of that length',
    suite: 'auc',
    case: 'AUC, 10M scores',
    rival: 'two sorts',
    floor: 1,
  },
  ...(
    [
      // from a table too, as ours
      ['=glum irls-ls', 'glum', 3],
      ['scikit-learn', 'scikit-learn', 8],
    ] as const
  ).map(([rival, name, floor]) => ({
    work: `fit, flights, 3M rows, 488 levels, L2, against ${name}`,
    suite: 'train-flights',
    case: 'fit, flights, 3M × 7, 488 levels, L2',
    rival,
    floor,
  })),
  {
    work: 'fit, wide dense, 5k × 2000, L2, against scikit-learn',
    suite: 'train-wide',
    case: 'fit, wide dense f64, 5000 × 2000, L2',
    rival: 'scikit-learn',
    floor: 1,
  },
  ...['liblinear -s 0', 'scikit-learn lbfgs'].map((rival) => ({
    work: `fit, sparse, 1M × 2¹⁸, L2, against ${rival}`,
    suite: 'train-sparse',
    case: 'fit, sparse f64, 1M × 256Ki, 40 a row, L2',
    rival,
    floor: 1.5,
  })),
  ...['spam-like, 4600 × 57', 'sparse truth, 10000 × 1000'].map((data) => ({
    work: `L1 path of 100 λ, ${data}, against glmnet`,
    suite: 'train-l1-path',
    case: `L1 path, ${data}, 100 λ`,
    rival: 'glmnet',
    floor: 1,
  })),
  {
    work: 'fit, multinomial, 100k × 64, 10 classes, L2, against scikit-learn',
    suite: 'train-multinomial',
    case: 'fit, multinomial f64, 100000 × 64, 10 classes, L2',
    rival: 'scikit-learn',
    floor: 2,
  },
  ...(
    [
      ['statsmodels Logit', 5],
      ['R glm', 10],
    ] as const
  ).map(([rival, floor]) => ({
    work: `standard errors and summary, 200k × 50, against ${rival}`,
    suite: 'train-inference',
    case: 'standard errors, dense f64, 200000 × 50',
    rival,
    floor,
  })),
  {
    work: 'one pass of FTRL, 1M rows, 2¹⁸, against Vowpal Wabbit',
    suite: 'train-online',
    case: 'one pass of FTRL, sparse ones, 1M × 256Ki, 40 a row',
    rival: 'Vowpal Wabbit',
    floor: 6,
  },
  {
    work: 'flights from Parquet to model and metrics, against pandas and scikit-learn',
    suite: 'train-file',
    case: 'flights, Parquet file to model and metrics',
    rival: 'pandas and scikit-learn',
    floor: 6,
  },
  ...['1000 records of 20 fields', 'a table of 8192 × 20'].map((what) => ({
    work: `recording ${what}, at most 0.3 of their scoring`,
    suite: 'monitor',
    case: `recording, ${what}`,
    rival: '=scored',
    // 1/1.3: scoring, of scoring and recording
    floor: 0.77,
  })),
  ...['monitor', 'drift'].map((command) => ({
    work: `${command} of a log with 20 inputs, against DuckDB's scan of the same columns`,
    suite: 'monitor',
    case: `${command}, 20 inputs, Parquet, 2M rows`,
    rival: 'DuckDB scan',
    floor: 0.5,
  })),
  ...['Parquet to Parquet, 3M', 'CSV to CSV, 1M'].map((files) => ({
    work: `score of flights, ${files} rows, against DuckDB copying the same columns`,
    suite: 'score-file',
    case: `score, flights, ${files} rows`,
    rival: 'DuckDB COPY',
    floor: 0.6,
  })),
  ...(
    [
      ['dense f64, 200000 × 100', 20],
      ['flights, 3M × 7', 50],
    ] as const
  ).map(([data, more]) => ({
    work: `peak memory of a fit, ${data}, within the data and ${more} %`,
    suite: 'train-memory',
    case: `peak memory of a fit, ${data}`,
    rival: `data + ${more} %`,
    floor: 1,
  })),
  {
    work: 'one JSON record a request, against a no-op on the same server',
    suite: 'service',
    case: 'one JSON record a request',
    rival: 'no-op',
    floor: 0.85,
  },
  {
    work: 'p99 of one JSON record at half of the rate, against that of the no-op',
    suite: 'service',
    case: 'one JSON record a request, p99 at half of the rate',
    rival: 'no-op',
    floor: 0.5,
  },
  {
    work: 'V2 binary 1024 × 32 f32, against engine and no-op',
    suite: 'service',
    case: 'V2 binary, 1024 × 32 f32',
    rival: 'engine + no-op',
    floor: 0.8,
  },
  {
    work: 'JSON lines over HTTP, against the engine from text',
    suite: 'service',
    case: 'JSON lines, 20k in a body',
    rival: 'engine',
    floor: 0.7,
  },
  {
    work: 'V2 JSON, a row, against MLServer',
    suite: 'service',
    case: 'V2 JSON, a row',
    rival: 'MLServer',
    floor: 10,
  },
  {
    work: 'V2 JSON, 1024 rows, against MLServer',
    suite: 'service',
    case: 'V2 JSON, 1024 rows',
    rival: 'MLServer',
    floor: 10,
  },
  {
    work: 'invocations, a row, against mlflow models serve',
    suite: 'service',
    case: 'invocations, a row',
    rival: 'mlflow models serve',
    floor: 5,
  },
  {
    work: 'stream of Kafka, JSON of 300 bytes, exactly once, against 100,000 records a second',
    suite: 'stream',
    case: 'stream, 500k records of 300 bytes',
    rival: '100,000 a second',
    floor: 1,
  },
  {
    work: 'the same against librdkafka copying alone, exactly once',
    suite: 'stream',
    case: 'stream, 500k records of 300 bytes',
    rival: 'librdkafka',
    floor: 1,
  },
];

export interface Finding extends Floor {
  /** absent when it was not measured */
  readonly ratio?: number;
  readonly median?: number;
  readonly bytes?: number;
  readonly unit?: Unit;
  readonly rows?: number;
  /** least and largest ratio of a round */
  readonly range?: readonly [number, number];
  /** whose answer was wrong, and how */
  readonly wrong?: string;
  /** all rivals were stopped: the ratio is the least that it can be */
  readonly stopped?: boolean;
}

/** The floors of these suites with what was measured. */
export function findings(suites: Readonly<Record<string, readonly Case[]>>): Finding[] {
  return floors
    .filter(({ suite }) => suite in suites)
    .map((floor) => {
      const found = suites[floor.suite].find(({ name }) => name === floor.case);
      if (!found) return floor;
      const { timings, bytes, unit, rows } = found;
      const mine = timings.find(({ name }) => name === floor.mine) ?? timings[0];
      if (mine.wrong) return { ...floor, wrong: `logodds: ${mine.wrong}` };
      const matching = floor.rival.startsWith('=')
        ? timings.filter(({ name }) => name === floor.rival.slice(1))
        : timings.filter(({ name }) => name.startsWith(floor.rival) && !name.endsWith('threads'));
      const rival = best(matching, '');
      if (!rival) return { ...floor, wrong: matching[0]?.wrong && `${matching[0].name}: ${matching[0].wrong}` };
      if (rival.moreThan) {
        return { ...floor, ratio: rival.moreThan, stopped: true, median: mine.median, bytes, unit, rows };
      }
      const each = rival.rounds.map((ms, i) => ms / mine.rounds[i]);
      const range = [Math.min(...each), Math.max(...each)] as const;
      return { ...floor, ratio: ratio(mine, rival), median: mine.median, bytes, unit, rows, range };
    });
}
