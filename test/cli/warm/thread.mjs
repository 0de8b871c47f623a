// Passes runs on to the process of process.mjs, and gives back what it has written and how it ended.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';

const { port, answered } = workerData;
const PROCESS = fileURLToPath(new URL('process.mjs', import.meta.url));
let child = null;

function start() {
  // files, so that also what native code writes is there, in its order, when a run is over
  const folder = mkdtempSync(join(tmpdir(), 'warm-command-'));
  const files = ['stdout', 'stderr'].map((name) => join(folder, name));
  const written = files.map((file) => openSync(file, 'a'));
  const started = spawn(process.execPath, [PROCESS, folder], { stdio: ['ignore', ...written, 'ipc'] });
  for (const file of written) closeSync(file);

  const answer = (status) => {
    const [stdout, stderr] = files.map((file) => readFileSync(file, 'utf8'));
    for (const file of files) truncateSync(file);
    port.postMessage({ status, stdout, stderr });
    Atomics.store(answered, 0, 1);
    Atomics.notify(answered, 0);
  };
  started.on('message', answer);
  started.on('exit', (status) => {
    child = null;
    answer(status);
    rmSync(folder, { recursive: true, force: true });
  });
  return started;
}

port.on('message', (run) => {
  child ??= start();
  child.send(run);
});
