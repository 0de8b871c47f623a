// Data and outputs in object stores: versitygw and moto as S3, Azurite as Azure Blob Storage, gcp-storage-emulator as Google Cloud Storage. Cut, slow and
// refused requests, objects that change, and jobs that are killed at seeded requests.
//   npm run test:service -- stores             few points (LOGODDS_TEST_FULL=1: twenty)
// versitygw is built by Go, once into a cache folder (as of registry-s3); the others come from PyPI and npm.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installGateway } from '../registry-s3/run.mjs';
import { venv } from '../venv.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** A folder with the SDKs, and the command beside them as npm would have it. */
function installBeside() {
  const folder = here('../build/stores-sdk');
  const wanted = readFileSync(here('package.json'), 'utf8');
  if (!existsSync(join(folder, 'ready')) || readFileSync(join(folder, 'ready'), 'utf8') !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    copyFileSync(here('package.json'), join(folder, 'package.json'));
    execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 2, 2] });
    writeFileSync(join(folder, 'ready'), wanted);
  }
  const command = join(folder, 'node_modules/@logodds/cli');
  rmSync(command, { recursive: true, force: true });
  mkdirSync(command, { recursive: true });
  for (const name of ['bin', 'dist', 'proto', 'package.json'])
    cpSync(join(root, 'cli', name), join(command, name), { recursive: true });
  const { dependencies } = JSON.parse(readFileSync(join(root, 'cli/package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const place = [join(root, 'cli/node_modules', name), join(root, 'node_modules', name)].find(existsSync);
    const link = join(command, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(place, link);
  }
  return folder;
}

export async function stores() {
  const python = venv('stores', here('requirements.txt'));
  const env = {
    ...process.env,
    LOGODDS_TEST_VERSITYGW: installGateway(),
    LOGODDS_TEST_MOTO: python,
    LOGODDS_TEST_STORES: installBeside(),
  };
  const full = process.env.LOGODDS_TEST_FULL ? ['--mode', 'full'] : [];
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...full, 'test/stores'], {
    cwd: root,
    env,
    stdio: 'inherit',
  });
  return status === 0;
}
