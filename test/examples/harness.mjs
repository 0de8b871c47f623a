// What every suite uses: named checks that are counted, and processes that are ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export const tally = { passed: 0, failed: 0 };

/** Runs one check; a failure is told and counted, and the rest goes on. */
export async function check(name, work) {
  try {
    await work();
    tally.passed++;
    console.log(`  ok    ${name}`);
  } catch (error) {
    tally.failed++;
    console.log(`  FAIL  ${name}\n${String(error?.stack ?? error).replace(/^/gm, '        ')}`);
  }
}

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a server that prints the address it listens on.
 * @returns the address, and `stop`, which sends SIGTERM and gives the exit code
 */
export async function startServer(command, args, { cwd, env }) {
  const child = spawn(command, args, { cwd, env: { ...process.env, NO_COLOR: '1', PORT: '0', ...env } });
  running.add(child);
  child.once('exit', () => running.delete(child));
  let output = '';
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address after 20 s:\n${output}`)), 20_000);
    const read = (chunk) => {
      output += chunk;
      const port = output.match(/https?:\/\/[^\s/]*:(\d+)/)?.[1];
      if (!port) return;
      clearTimeout(timer);
      resolve(`http://127.0.0.1:${port}/`);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`it ended with code ${code}:\n${output}`)));
  });
  return {
    url,
    child,
    output: () => output,
    async stop() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      return child.exitCode;
    },
  };
}
