// Runs cases on mutants: cases.mjs PROGRAM FROM TO prints a line for each, {"mutant", "by"}: by which case it was noticed; null: by none.
// A mutant that does not come to an end is noticed, and ends this process: the caller goes on behind it.

import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const HANG_MS = 60_000;

if (isMainThread) {
  const [program, from, to] = process.argv.slice(2);
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { program, from: +from, to: +to } });
  let at = +from - 1;
  let timer;
  const hang = () => {
    process.stdout.write(`${JSON.stringify({ mutant: at + 1, by: 'it does not end' })}\n`, () => process.exit(0));
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(hang, HANG_MS);
  };
  wait();
  worker.on('message', (line) => {
    at = line.mutant;
    process.stdout.write(`${JSON.stringify(line)}\n`);
    wait();
  });
  worker.on('error', (error) => {
    console.error(error);
    process.exit(1);
  });
  worker.on('exit', () => clearTimeout(timer));
} else {
  const { program, from, to } = workerData;
  globalThis.__m = -1;
  const { CASES } = await import(program);
  const examine = async () => {
    for (const [name, work] of CASES) {
      try {
        await work();
      } catch (error) {
        return `${name}: ${String(error.message).split('\n', 1)[0]}`;
      }
    }
    return null;
  };
  for (let mutant = from === 0 ? -1 : from; mutant < to; mutant++) {
    globalThis.__m = mutant;
    parentPort.postMessage({ mutant, by: await examine() });
  }
}
