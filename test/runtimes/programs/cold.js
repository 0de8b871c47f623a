// In a fresh process, after its imports: from nothing to the first score of a model of 200 features. Prints milliseconds, those of the
// import of the library beside them.
import { readFile } from 'node:fs/promises';

const { model: base64, rows } = JSON.parse(await readFile(new URL('sets.json', import.meta.url), 'utf8')).find(
  ({ name }) => name === 'wide',
);
const bytes = new Uint8Array(Buffer.from(base64, 'base64'));

const before = performance.now();
const { loadModel, pickEngine } = await import('logodds/score');
const times = [performance.now()];
const engine = pickEngine();
times.push(performance.now());
const model = loadModel(bytes);
times.push(performance.now());
const { probability } = model.score(rows[0]);
times.push(performance.now());
const [engineMs, loadMs, scoreMs] = times.slice(1).map((time, i) => time - times[i]);
const ms = { ms: times[3] - times[0], importMs: times[0] - before, engineMs, loadMs, scoreMs };
console.log(JSON.stringify({ ...ms, engine: engine.name, probability }));
