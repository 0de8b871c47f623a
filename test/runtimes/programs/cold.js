// In a fresh process, after its imports: from nothing to the first score of a model of 200 features. Prints milliseconds.
import { readFile } from 'node:fs/promises';
import { loadModel, pickEngine } from 'logodds/score';

const { model: base64, rows } = JSON.parse(await readFile(new URL('sets.json', import.meta.url), 'utf8')).find(
  ({ name }) => name === 'wide',
);
const bytes = new Uint8Array(Buffer.from(base64, 'base64'));

const times = [performance.now()];
const engine = pickEngine();
times.push(performance.now());
const model = loadModel(bytes);
times.push(performance.now());
const { probability } = model.score(rows[0]);
times.push(performance.now());
const [engineMs, loadMs, scoreMs] = times.slice(1).map((time, i) => time - times[i]);
console.log(JSON.stringify({ ms: times[3] - times[0], engineMs, loadMs, scoreMs, engine: engine.name, probability }));
