import { mkdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, expect, test } from 'vitest';
import { NO_CONFIG, optionsOf, readConfig, told } from '../../cli/src/serve/config.ts';
import { FileLock } from '../../cli/src/serve/observation/fileLock.ts';
import { BY_KEY, ROWS, serveSchema } from '../../cli/src/serve/options.ts';
import { workspace } from './run.ts';
import { ask, MODEL, services } from './serve.ts';

const { run, write, path, folder, names } = workspace();
const closing: Server[] = [];
afterAll(() => {
  for (const server of closing) server.close();
});
const { serve } = services();
const isValid = new Ajv2020({ strict: false }).compile(serveSchema);

/** What is wrong with a file. */
const check = (name: string, text: string) => run(['serve', '--check', write(name, text)]);
const lines = (stderr: string) => stderr.trimEnd().split('\n');

test('the schema of the package is that of the options', () => {
  expect(JSON.parse(readFileSync('cli/serve.schema.json', 'utf8'))).toEqual(serveSchema);
  expect(Object.keys(serveSchema.properties)).toEqual(['$schema', 'models', ...BY_KEY.keys()]);
});

test('help has every option, and every option a key', () => {
  const { stdout } = run(['serve', '--help']);
  for (const [flags] of ROWS) expect(stdout).toContain(flags);
  expect(BY_KEY.size).toBe(ROWS.length);
});

test('a file that is fine is said to be', () => {
  const text = `models: [codes=${MODEL}, .]\nport: 0\ngrpc: false\ndrainDelay: 1.5\n`;
  const { status, stderr } = check('fine.yaml', text);
  expect([status, stderr]).toEqual([0, 'fine.yaml: nothing is wrong with it\n']);
  expect(
    check('fine.json', JSON.stringify({ $schema: 'serve.schema.json', models: [MODEL], port: 0, grpcPort: 0 })).status,
  ).toBe(0);
});

test('all that is wrong is said, by place, with the next step', () => {
  write('words.safetensors', 'no model');
  const { status, stderr } = check(
    'wrong.yaml',
    [
      'models: [none.safetensors, 3, words.safetensors]',
      'prot: 8080',
      'grpc-port: 9000',
      'workers: 0',
      'cert: none.pem',
      'host: 0.0.0.0',
      'json: "yes"',
      'key: |',
      '  -----BEGIN PRIVATE KEY-----',
      '  c2VjcmV0',
    ].join('\n'),
  );
  expect(status).toBe(1);
  expect(stderr).not.toContain('c2VjcmV0');
  const said = lines(stderr);
  for (const line of [
    /^wrong\.yaml:1: models\[0\]: .*none\.safetensors: expected a model file or a folder of them, got an error .*; check the path$/,
    /^wrong\.yaml:1: models\[1\]: expected name=FILE, FILE or a folder, got 3; write it as text$/,
    /^wrong\.yaml:1: models\[2\]: /,
    /^wrong\.yaml:2: prot: .* did you mean port\?$/,
    /^wrong\.yaml:3: grpc-port: .* did you mean grpcPort\?$/,
    /^wrong\.yaml:4: workers: expected a whole number from 1 to 256, got 0; write one, or leave it out for 1$/,
    /^wrong\.yaml:5: cert: expected a file that can be read/,
    /^wrong\.yaml:6: host: expected API keys where others can ask/,
    /^wrong\.yaml:7: json: expected true or false, got "yes"/,
    /^wrong\.yaml:8: key: expected the path of a file, got text of several lines/,
    /^ERR_RANGE serve: expected options that fit, got \d+ that do not; see above$/,
  ])
    expect(
      said.filter((text) => line.test(text)),
      `${line}\n${stderr}`,
    ).toHaveLength(1);
});

test.each([
  ['not YAML', 'models: [\n', /expected JSON or YAML, got an error in line 2/],
  ['a key twice', 'port: 1\nport: 2\n', /error in line 2 .*unique/],
  ['a list', '- port: 1\n', /expected keys with values/],
  [
    'many aliases',
    `a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [${'*a,'.repeat(20)}]\nc: [${'*b,'.repeat(20)}]\n`,
    /expected few aliases/,
  ],
  ['nothing', '', /models: expected a model, got none/],
])('%s is refused', (_, text, expected) => {
  const { status, stderr } = check('odd.yaml', text);
  expect([status, stderr]).toEqual([1, expect.stringMatching(expected)]);
  expect(run(['serve', '--check', 'nowhere.yaml']).stderr).toContain('nowhere.yaml: expected a configuration file');
});

test.each([
  ['models: a.safetensors\n', 'odd.yaml:1: models: expected a list, got "a.safetensors"; write models: [FILE]'],
  [`models: [${MODEL}]\nauditStrict: true\n`, 'odd.yaml:2: auditStrict: expected an audit log'],
  [`models: [${MODEL}]\nlogEntity: customer\n`, 'odd.yaml:2: logEntity: expected a prediction log'],
  [`models: [${MODEL}]\nrateBurst: 5\n`, 'odd.yaml:2: rateBurst: expected a rate'],
  [`models: [${MODEL}]\njwks: https://issuer/jwks\n`, '--jwks: expected --issuer and --audience'],
  [`models: [${MODEL}]\ntokens: keys.json\n`, 'tokens: entry 0: expected sha256 of 64 hexadecimal digits'],
])('what options or files say together is checked before a start: %#', (text, expected) => {
  write('keys.json', '[{"name":"a","sha256":"zz","scopes":["score"]}]');
  const { status, stderr } = check('odd.yaml', text);
  expect([status, stderr]).toEqual([1, expect.stringContaining(expected)]);
});

test('all that a start would refuse is said at once: files, folders, addresses, ports', async () => {
  const { port } = await new Promise<AddressInfo>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server.address() as AddressInfo));
    closing.push(server);
  });
  write('text.txt', 'text');
  write('keys.json', '[{"name":"a","sha256":"zz","scopes":["score"]}]');
  write('taken.jsonl', '');
  const lock = await FileLock.take(path('taken.jsonl'));
  const { status, stderr } = check(
    'start.yaml',
    [
      `models: [codes=${MODEL}, ${MODEL}, other=${MODEL}, codes=none/../codes2.safetensors]`,
      `port: ${port}`,
      `grpcPort: ${port + 65_536}`,
      'tokens: keys.json',
      'jwks: text.txt',
      'issuer: me',
      'audience: [scores]',
      'opa: localhost:8181/v1',
      'cors: [app.example.com]',
      'cert: text.txt',
      'key: text.txt',
      'otlp: localhost',
      'log: text.txt/log',
      'audit: taken.jsonl',
    ].join('\n'),
  );
  lock.release();
  expect(status).toBe(1);
  const said = lines(stderr);
  for (const line of [
    /^start\.yaml:1: models\[3\]: .*codes2\.safetensors: expected a model file or a folder/,
    /^start\.yaml:2: port: expected a free port of 127\.0\.0\.1, got an error \(.*\); choose another, or 0$/,
    /^start\.yaml:3: grpcPort: expected a whole number from 0 to 65535, got \d+/,
    /^start\.yaml:4: tokens: entry 0: expected sha256 of 64 hexadecimal digits/,
    /^start\.yaml:5: jwks: expected a JSON Web Key Set/,
    /^start\.yaml:8: opa: expected a URL of http or https, got "localhost:8181\/v1"/,
    /^start\.yaml:9: cors: expected origins/,
    /^start\.yaml:10: cert: expected a certificate and its key in PEM, got an error/,
    /^start\.yaml:12: otlp: expected a URL of http or https, got localhost; /,
    /^start\.yaml:13: log: expected a folder, got a file \(.*text\.txt\); choose another$/,
    /^start\.yaml:14: audit: expected a file that nobody else writes, got one of process \d+/,
    /^ERR_RANGE serve: expected options that fit, got 11 that do not; see above$/,
  ])
    expect(
      said.filter((text) => line.test(text)),
      `${line}\n${stderr}`,
    ).toHaveLength(1);
  // and nothing was made
  expect(names().filter((name) => /lock|^log/.test(name))).toEqual([]);
});

test('two models of one name, and a broken one in a folder, are said', () => {
  mkdirSync(path('two'));
  write('two/a.safetensors', 'no model');
  const { stderr } = check('names.yaml', `models: [a=${MODEL}, two]\nport: 0\ngrpcPort: 0\n`);
  expect(stderr).toMatch(/names\.yaml:1: models: \S+two\/a\.safetensors: expected a name of its own, got a/m);
  for (const models of [
    'models:/a@champion, models:/a/2',
    `a=${MODEL}, models:/a@champion`,
    `models:/a@champion, a=${MODEL}`,
  ])
    expect(
      check(
        'names.yaml',
        `models: [${models.replaceAll('models:/', '"models:/').replace(/(@champion|\/2)/g, '$1"')}]\nport: 0\n`,
      ).stderr,
    ).toMatch(/expected a name of its own, got a, which .* has/);
  expect(check('names.yaml', 'models: [two]\nport: 0\ngrpcPort: 0\n').stderr).toMatch(
    /names\.yaml:1: models: \S+two\/a\.safetensors: /m,
  );
});

test('numbers that JSON does not have are told as YAML writes them; a key that is like none says where all are', () => {
  const { stderr } = check(
    'odd.yaml',
    `models: [${MODEL}]\nport: .inf\ngrace: -.inf\nmaxDelay: .nan\nxyzzy: 1\nworkers: [.nan]\n`,
  );
  for (const text of [
    'odd.yaml:2: port: expected a whole number from 0 to 65535, got .inf;',
    'odd.yaml:3: grace: expected seconds from 0 to 86400, got -.inf;',
    'got .nan; write one',
    'odd.yaml:5: xyzzy: expected a key of serve.schema.json, which the package has, got none like it; there are models, host, port, socket,',
    'odd.yaml:6: workers: expected a whole number from 1 to 256, got [".nan"]',
  ])
    expect(stderr).toContain(text);
});

test('a file is refused by the command where the schema refuses it', async () => {
  const values: readonly unknown[] = [
    0,
    1,
    -1,
    0.5,
    70_000,
    1e9,
    '',
    'text',
    '660',
    '999',
    'a\nb',
    true,
    false,
    null,
    [],
    {},
  ];
  for (const key of [...BY_KEY.keys(), 'models', 'nokey'])
    for (const value of key === 'models' ? [...values, ['a'], [3], ['']] : values) {
      const { problems } = await readConfig(path(write('one.json', JSON.stringify({ [key]: value }))));
      expect([key, value, problems.length === 0]).toEqual([key, value, isValid({ [key]: value })]);
    }
});

test('flags win, then the file, then the environment; paths begin at the folder of the file', async () => {
  const config = await readConfig(
    path(write('some.yaml', 'models: [m=a.safetensors, b/]\nport: 1\nworkers: 3\ncert: c.pem\n')),
  );
  const { options } = optionsOf([], { port: 2 }, config, { port: 3, grpcPort: 4 });
  expect(options).toMatchObject({ port: 2, workers: 3, grpcPort: 4, host: '127.0.0.1', cert: `${folder}/c.pem` });
  expect(options.models).toEqual([`m=${folder}/a.safetensors`, `${folder}/b`]);
  expect(optionsOf(['x'], {}, config).options.models).toEqual(['x']);
});

test('a flag that is wrong names itself', () => {
  const { problems } = optionsOf(['x'], { port: 'x', drainDelay: 30 }, NO_CONFIG);
  expect(problems.map((problem) => told(problem, NO_CONFIG))).toEqual([
    '--port: expected a whole number from 0 to 65535, got "x"; write one, or leave it out for 8080',
    '--drain-delay: expected less than the grace time of 25 s, got 30; give --grace a greater one',
  ]);
});

test('a service is started from a file', async () => {
  const file = write('serve.yaml', `models:\n  - fraud=${MODEL}\ngrpc: false\n`);
  const { url, ready } = await serve(['--config', path(file), '--no-grpc']);
  expect(ready).toMatchObject({ grpc: null, models: [{ name: 'fraud' }] });
  expect((await ask(`${url}/v2/models/fraud/ready`)).status).toBe(200);
});
