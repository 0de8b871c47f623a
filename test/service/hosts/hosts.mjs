// The hosts of a service: how each is started with the files of models. Deno, Bun and workerd are those of test/runtimes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { binary, install, here as runtimes } from '../../runtimes/setup.mjs';
import { serve as serveWorkers, worker } from '../../runtimes/workerd.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = 'test/service/hosts/programs/web.js';
const pathOf = (file) => `test/conformance/${file}.safetensors`;
const given = (models) => Object.entries(models).map(([name, file]) => `${name}=${pathOf(file)}`);

/** A host with a command line, which says in a line of JSON where it listens. */
const command =
  (path, ...before) =>
  async (models, ...after) => {
    const child = spawn(path(), [...before, ...given(models), ...after], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const first = once(createInterface(child.stdout), 'line');
    const [line] = await Promise.race([
      first,
      ended.then(([code]) => Promise.reject(new Error(`it ended with ${code}`))),
    ]);
    return {
      url: JSON.parse(line).url,
      async stop() {
        child.kill('SIGTERM');
        await ended;
      },
    };
  };

async function workerd(models) {
  const names = JSON.stringify(Object.keys(models));
  const imports = Object.keys(models).map((name, i) => `import model${i} from './${name}.safetensors';`);
  const source = `
    import { createService } from '@logodds/service';
    ${imports.join('\n')}
    const bytes = [${Object.keys(models).map((_, i) => `model${i}`)}];
    const source = (name) => ({ name, model: new Uint8Array(bytes[${names}.indexOf(name)]) });
    let service;
    export default { fetch: (request) => (service ??= createService({ models: ${names}.map(source), source })).fetch(request) };`;
  const files = Object.fromEntries(
    Object.entries(models).map(([name, file]) => [
      `${name}.safetensors`,
      { kind: 'data', path: `${root}${pathOf(file)}` },
    ]),
  );
  const one = await worker('service', source, '2026-01-01', files, root);
  const { ports, stop } = await serveWorkers([one]);
  return { url: `http://127.0.0.1:${ports.service}`, stop };
}

export const prepareHosts = () => install(runtimes);

/** name → starts it with models (name → file); { url, stop() } */
export const HOSTS = {
  node: (models) =>
    command(() => process.execPath, 'cli/bin/logodds.js', 'serve')(
      models,
      '--port',
      '0',
      '--no-grpc',
      '--json',
      '--no-watch',
    ),
  deno: command(
    () => binary('@deno/linux-x64-glibc/deno'),
    'run',
    '--quiet',
    '--allow-read',
    '--allow-net',
    '--no-lock',
    program,
  ),
  bun: command(() => binary('@oven/bun-linux-x64/bin/bun'), 'run', program),
  workerd,
};
