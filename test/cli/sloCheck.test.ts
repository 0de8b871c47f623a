import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { ask, MODEL, score, services } from './serve.ts';

const { serve, run, start, path } = services();

test('one look at a service: a promise that is kept, one that is broken, a service that is away', async () => {
  const { url } = await serve([MODEL, '--no-grpc']);
  await score(url);
  const kept = run(['slo', 'check', '--url', url]);
  expect(kept.stdout).toContain('kept    availability of codes');
  expect(kept.stdout).toContain('No condition is so.');
  expect(kept.status).toBe(0);
  for (let k = 0; k < 11; k++)
    await ask(`${url}/models/codes/score`, { body: '{"code":"2","x":"half"}\n', type: 'application/x-ndjson' });
  const broken = run(['slo', 'check', '--url', `${url}/`, '--json']);
  expect(broken.status).toBe(1);
  const { ok, objectives, conditions } = JSON.parse(broken.stdout);
  expect(ok).toBe(false);
  expect(objectives.filter((one: { ok: boolean }) => !one.ok)).toMatchObject([
    { slo: 'acceptedRows', model: 'codes', bad: 11, all: 12, target: 0.99 },
  ]);
  expect(conditions).toMatchObject([{ alert: 'LogoddsRowsRefused', severity: 'ticket' }]);
  const away = run(['slo', 'check', '--url', 'http://127.0.0.1:9']);
  expect(away.status).toBe(1);
  expect(away.stderr).toContain('ERR_DATA --url http://127.0.0.1:9: expected the numbers of a service, got an error');
});

test('a page of something else is no service', async () => {
  const page = createServer((_, response) => {
    response.end('<html>log in</html>');
  }).listen(0, '127.0.0.1');
  await once(page, 'listening');
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  const child = start(['slo', 'check', '--url', url]);
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const [status] = await once(child, 'close');
  page.close();
  expect(status).toBe(1);
  expect(stderr).toBe(
    `ERR_DATA --url ${url}: expected the numbers of a service, got a page of something else; check the address\n`,
  );
});

test('a service that asks for a key says so, and takes the one of a file', async () => {
  const sha256 = '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683';
  writeFileSync(path('keys.json'), JSON.stringify([{ name: 'reader', sha256, scopes: ['read'] }]));
  writeFileSync(path('reader.key'), 'key\n');
  const { url } = await serve([MODEL, '--no-grpc', '--tokens', path('keys.json')]);
  expect(run(['slo', 'check', '--url', url]).stderr).toContain(
    'got status 401; give --key FILE with a key of scope read',
  );
  expect(run(['slo', 'check', '--url', url, '--key', path('reader.key')])).toMatchObject({ status: 0 });
});

test('serve refuses settings and secrets that it cannot use before it answers', async () => {
  writeFileSync(path('slo.json'), JSON.stringify({ notify: { page: [{ pagerduty: {} }] } }));
  const begin = (...flags: string[]) => run(['serve', MODEL, '--no-grpc', '--port', '0', ...flags]);
  const without = begin('--slo', path('slo.json'));
  expect(without.stderr).toContain('notify.page[0].pagerduty: expected a secret in LOGODDS_PAGERDUTY_KEY, got none');
  writeFileSync(path('wrong.json'), '{"objective": {}}');
  expect(begin('--slo', path('wrong.json')).stderr).toContain('objective: expected an option that exists, got another');
  expect(begin('--slo-state', path('state.json')).stderr).toContain(
    'expected objectives as well, got none; give --slo FILE',
  );
  writeFileSync(path('serve.yaml'), 'models: [m.safetensors]\nslo: slo.json\n');
  expect(run(['serve', '--check', path('serve.yaml')]).stderr).toContain('LOGODDS_PAGERDUTY_KEY');
});
