// A registry in a bucket of real servers of S3: versitygw, and moto as a second one. Sixteen processes at once, wrong credentials, servers that go away.
//   npm run test:service -- registry-s3
// versitygw is built by Go, which takes minutes, once into a cache folder (LOGODDS_VERSITYGW names one that is there); moto comes from PyPI.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { venv } from '../venv.mjs';

const VERSITYGW = 'v1.8.0';

export function installGateway() {
  if (process.env.LOGODDS_VERSITYGW) return process.env.LOGODDS_VERSITYGW;
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'logodds-test');
  const folder = join(cache, `versitygw-${VERSITYGW.slice(1)}`);
  const file = join(folder, 'versitygw');
  if (!existsSync(file)) {
    console.error('building versitygw, which takes minutes ...');
    mkdirSync(folder, { recursive: true });
    execFileSync('go', ['install', `github.com/versity/versitygw/cmd/versitygw@${VERSITYGW}`], {
      env: { ...process.env, GOBIN: folder },
      stdio: ['ignore', 2, 2],
    });
  }
  return file;
}

export async function registryS3() {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const env = {
    ...process.env,
    LOGODDS_TEST_VERSITYGW: installGateway(),
    LOGODDS_TEST_MOTO: venv('registry-s3', fileURLToPath(new URL('requirements.txt', import.meta.url))),
  };
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/registry/s3.test.ts'], {
    cwd: root,
    env,
    stdio: 'inherit',
  });
  return status === 0;
}
