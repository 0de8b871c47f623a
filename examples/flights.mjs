// The main job: three million flights of 2001, "more than 15 minutes late", from the file to scores on disk.
// Run it with `npm start`. It uses what the command uses, and reports only what it measured in this run.
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { scoreCommand, trainCommand } from '../cli/dist/main.js';
import { loadModel, pickEngine, tableFromRecords } from '../dist/index.js';

const DATA = fileURLToPath(new URL('../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));
const HOURS = `hour(date) as hour, strftime(date, '%a') as weekday`;
const query = (file) =>
  `select delay > 15 as late, distance, origin, destination, ${HOURS}, date from '${file.replaceAll("'", "''")}'`;

const count = (n) => Math.round(n).toLocaleString('en-US');
const seconds = (s) => `${s.toFixed(2)} s`;

/** Rows as the service would get them: parsed JSON, the same names as the columns of the query. */
const SAMPLE = sampleRecords(4096);

/**
 * @param {{ out: string, prepareSeconds: number }} options  folder for model, scores and report; time spent before the job
 */
export async function flights({ out, prepareSeconds }) {
  mkdirSync(out, { recursive: true });
  const model = `${out}/flights.safetensors`;
  const scores = `${out}/scores.parquet`;
  const lines = [];
  const say = (line = '') => {
    lines.push(line);
    console.log(line);
  };
  const begin = performance.now();

  say('logodds: will a flight be more than 15 minutes late?  3,000,000 flights of 2001 (vega-datasets, flights-3m)');
  say();
  const result = await trainCommand({
    query: query(DATA),
    target: 'late',
    categorical: ['hour'],
    holdoutBy: 'date',
    out: model,
  });
  const { rows, metrics, bytes, warnings } = result;
  const spent = result.seconds;
  const { fit } = result.model.manifest;
  const { features } = result.model.manifest.schema;
  const fitted = `${fit.converged ? 'converged' : `stopped (${fit.reason})`} after ${fit.iterations} iterations`;
  say(`features       ${features.map(describe).join(', ')}`);
  say(`rows           ${count(rows.train)} to fit, ${count(rows.holdout)} held out (the latest dates)`);
  say(`read           ${seconds(spent.read)}   ${count((rows.train + rows.holdout) / spent.read)} rows/s`);
  say(`fit            ${seconds(spent.fit)}   ${count(rows.train / spent.fit)} rows/s, ${fit.solver}, ${fitted},`);
  say(`               gradient ${fit.gradNorm.toExponential(1)}, log-likelihood ${fit.logLik.toFixed(2)}`);
  say(
    `held out       log loss ${metrics.logLoss.toFixed(5)}   AUC ${metrics.auc.toFixed(5)}   Brier ${metrics.brier.toFixed(5)}   ` +
      `ECE ${metrics.ece.toFixed(5)}   accuracy ${metrics.accuracy.toFixed(5)}`,
  );
  for (const { code, message } of warnings) say(`warning        ${code}: ${message}`);
  say(`model file     ${model}, ${count(bytes)} bytes`);

  const scored = await scoreCommand({ model, query: query(DATA), out: scores });
  say(
    `score          ${seconds(scored.seconds)}   ${count(scored.rows / scored.seconds)} rows/s from Parquet to Parquet ` +
      `(${scores}, ${count(statSync(scores).size)} bytes)`,
  );
  say(`engine alone   ${engineRate(loadModel(readFileSync(model)))}`);
  say(`same bits      ${compareEngines(loadModel(readFileSync(model)))}`);

  const job = (performance.now() - begin) / 1000;
  say();
  say(`time           ${seconds(job)} for the job, ${seconds(prepareSeconds)} before it to install and build`);
  say(`memory         ${count(process.resourceUsage().maxRSS / 1024)} MiB at the peak`);
  say();
  say('Next, for instance:');
  say(`  npx @logodds/cli inspect ${model}`);
  say(`  npx @logodds/cli train --help`);
  say(`  npx @logodds/cli train DATA.csv --target COLUMN --out model.safetensors`);
  writeFileSync(`${out}/report.txt`, `${lines.join('\n')}\n`);
}

function describe(feature) {
  return feature.kind === 'numeric' ? feature.name : `${feature.name} (${feature.levels.length} levels)`;
}

/** Flights that vary in every feature, an airport nobody has seen among them. */
function sampleRecords(length) {
  const airports = ['ATL', 'ORD', 'DFW', 'LAX', 'PHX', 'DEN', 'SEA', 'XXX'];
  const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
  return Array.from({ length }, (_, i) => ({
    distance: 100 + ((i * 37) % 2500),
    origin: airports[i % 8],
    destination: airports[(i * 3 + 1) % 7],
    hour: i % 24,
    weekday: days[i % 7],
  }));
}

/** Rows a second from a table in memory to probabilities: encoding and kernels, no files. */
function engineRate(model) {
  const engine = pickEngine();
  const scorer = model.scorer(engine);
  const table = tableFromRecords(SAMPLE);
  const rates = [];
  for (let round = 0; round < 50; round++) {
    const start = performance.now();
    for (let i = 0; i < 20; i++) scorer.score(table);
    rates.push((20 * table.rows) / ((performance.now() - start) / 1000));
  }
  scorer.free();
  const median = rates.sort((a, b) => a - b)[rates.length / 2];
  return `${count(median)} rows/s (${engine.name}: ${engine.why}; one thread, encoding included)`;
}

/** Bits of a sample of rows in the WebAssembly engine, the JavaScript engine, and one record at a time. */
function compareEngines(model) {
  const table = tableFromRecords(SAMPLE);
  const bits = (values) => new BigUint64Array(values.slice().buffer);
  const [first, second] = ['auto', 'js'].map((name) => {
    const scorer = model.scorer(pickEngine(name));
    const scores = bits(scorer.score(table).probabilities);
    scorer.free();
    return scores;
  });
  const single = bits(Float64Array.from(SAMPLE, (record) => model.score(record).probability));
  const differing = SAMPLE.filter((_, i) => first[i] !== second[i] || first[i] !== single[i]).length;
  if (differing > 0) throw new Error(`${differing} of ${SAMPLE.length} rows differ between the engines`);
  return `${count(SAMPLE.length)} of ${count(SAMPLE.length)} rows have equal bits in WebAssembly, JavaScript and model.score(record)`;
}
