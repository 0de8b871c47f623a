import { spawnSync, spawn } from 'node:child_process';
import { ourService, KEYS } from './service.mjs';
const s = await ourService();
const c = spawn('/tmp/mlf/V/bin/python', ['test/service/mlflow/ours.py', s.url, KEYS.key, KEYS.reader, ...s.digests], { stdio: 'inherit' });
await new Promise(r => c.on('exit', r));
console.log((await s.registry.events()).at(-1));
await s.stop();
