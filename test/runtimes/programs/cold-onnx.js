// The same for onnxruntime-web, in its best configuration for a small model: one thread. Arguments: its file, the model.
import { readFile } from 'node:fs/promises';

const [path, file] = process.argv.slice(2);
const bytes = await readFile(file);
const begin = performance.now();
const ort = await import(path);
ort.env.wasm.numThreads = 1;
const imported = performance.now();
const session = await ort.InferenceSession.create(bytes);
const { y } = await session.run({ x: new ort.Tensor('float32', new Float32Array(200).fill(0.5), [1, 200]) });
const done = performance.now();
console.log(JSON.stringify({ ms: done - imported, importMs: imported - begin, probability: y.data[0] }));
process.exit();
