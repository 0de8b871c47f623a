// Passes runs on to the process of process.mjs, and gives back what it has written and how it ended.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';

const { port, answered, folder } = workerData;
const PROCESS = fileURLToPath(new URL('process.mjs', import.meta.url));
// files, so that also what native code writes is there, in its order, when a run is over
const outputs = mkdtempSync(join(tmpdir(), 'warm-command-'));
const files = ['stdout', 'stderr'].map((name) => join(outputs, name));
let child = null;

function start() {
  const written = files.map((file) => openSync(file, 'a'));
  const started = spawn(process.execPath, [PROCESS], {
    cwd: folder,
    stdio: ['ignore', ...written, 'ipc'],
    serialization: 'advanced',
  });
  for (const file of written) closeSync(file);
  started.on('message', answer);
  started.on('exit', (status) => {
    if (child !== started) return;
    child = null;
    answer(status);
  });
  return started;
}

function answer(status) {
  const [stdout, stderr] = files.map((file) => readFileSync(file, 'utf8'));
  for (const file of files) truncateSync(file);
  port.postMessage({ status, stdout, stderr });
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
}

port.on('message', (run) => {
  if (run !== null) {
    child ??= start();
    child.send(run);
    return;
  }
  port.close();
  const remove = () => rmSync(outputs, { recursive: true, force: true });
  if (child === null) return remove();
  const ending = child;
  child = null;
  ending.on('exit', remove).disconnect();
});
