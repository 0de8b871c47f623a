import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FILE, modelFile, OTHER } from '../registry/models.ts';
import { oracle, workspace } from './run.ts';

const { run, json, write, path, names } = workspace();
write('a.safetensors', FILE);
write('b.safetensors', OTHER);
write('c.safetensors', modelFile(1));

let places = 0;
/** The flags of a registry of its own. */
const own = () => ['--registry', `registry-${++places}`];
/** A registry with two versions, of which the first is champion. */
function two(): string[] {
  const at = own();
  for (const file of ['a', 'b']) expect(run(['push', `${file}.safetensors`, '--name', 'fraud', ...at]).status).toBe(0);
  expect(run(['registry', 'alias', 'fraud', '1', 'champion', ...at]).status).toBe(0);
  return at;
}
const log = ([, place]: string[]) => path(`${place}/log.jsonl`);
const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('push and pull', () => {
  test('the version is all there is on standard output, and a file that is there keeps its number', () => {
    const at = own();
    const first = run(['push', 'a.safetensors', '--name', 'fraud', '--alias', 'challenger', '--by', 'ann', ...at]);
    expect(first).toMatchObject({ status: 0, stdout: '1\n' });
    expect(first.stderr).toMatch(
      /^a\.safetensors is version 1 of fraud in registry-\d+, a new registry \(sha256 [0-9a-f]{12}\)\nchallenger names version 1\n$/,
    );
    expect(run(['push', 'b.safetensors', '--name', 'fraud', ...at]).stdout).toBe('2\n');
    const again = run(['push', 'a.safetensors', '--name', 'fraud', ...at]);
    expect(again).toMatchObject({ status: 0, stdout: '1\n' });
    expect(again.stderr).toMatch(/was version 1 of fraud before/);
    expect(json(['push', 'c.safetensors', '--name', 'fraud', ...at])).toMatchObject({
      ...{ name: 'fraud', version: 3, isNew: true, aliases: [], hasSignature: false },
      sha256: digest(modelFile(1)),
    });
  });

  test('show --json has the object of the contract: lineage, metrics, tags, aliases, who', () => {
    const at = own();
    write('rows.csv', 'x,y\n1,0\n');
    write('more.csv', 'x,y\n2,1\n');
    run(['push', 'a.safetensors', '--name', 'fraud', ...at]);
    const { stderr, status } = run([
      ...['push', 'c.safetensors', '--name', 'fraud', '--alias', 'champion', '--tag', 'team=risk,ticket=17'],
      ...['--metric', 'auc=0.71', '--data', 'rows.csv', '--data', 'more.csv', '--parent', '1', '--by', 'ann'],
      ...['--why', 'October', '--command', 'logodds train s3://u:p4ss@host/x --token=abc', ...at],
    ]);
    expect(status, stderr).toBe(0);
    const shown = json(['registry', 'show', 'fraud', ...at]);
    expect(Object.keys(shown).slice(0, 1)).toEqual(['name']);
    const [first, second] = shown.versions;
    for (const field of 'version sha256 at by aliases tags metrics lineage signedBy'.split(' '))
      expect(Object.keys(first)).toContain(field);
    expect(second).toMatchObject({
      ...{ version: 2, by: 'ann', aliases: ['champion'], why: 'October', signedBy: [], gate: null, isRetired: false },
      tags: { team: 'risk', ticket: '17' },
      metrics: { auc: 0.71, trainRows: 24 },
      lineage: {
        parent: 1,
        // in the order of their names, as `cat more.csv rows.csv | sha256sum` has it
        data: digest(Buffer.from('x,y\n2,1\nx,y\n1,0\n')),
        schema: expect.stringMatching(/^[0-9a-f]{64}$/),
        command: 'logodds train s3://***@host/x --token=***',
      },
    });
    const { fit } = json(['inspect', 'c.safetensors']);
    expect(second.metrics.trainLogLoss).toBeCloseTo(-fit.logLik / fit.totalWeight, 12);
  });

  test('who does it is --by, else LOGODDS_USER; the place is --registry, else LOGODDS_REGISTRY, else ./registry', () => {
    const env = { LOGODDS_USER: 'carl', LOGODDS_REGISTRY: 'by-environment' };
    expect(run(['push', 'a.safetensors', '--name', 'fraud'], { env }).status).toBe(0);
    expect(json(['registry', 'log'], { env }).events[0].by).toBe('carl');
    expect(json(['registry', 'log', '--registry', 'by-environment']).events).toHaveLength(1);
    expect(run(['push', 'b.safetensors', '--name', 'fraud', '--by', 'ann']).status).toBe(0);
    expect(json(['registry', 'log']).registry).toBe('registry');
    // others of the user's group may read it, as the umask of the user says
    if (process.platform !== 'win32') {
      run(['push', 'a.safetensors', '--name', 'fraud', '--registry', 'shared'], { shell: 'umask 022' });
      expect(statSync(path('shared/log.jsonl')).mode & 0o777).toBe(0o644);
      expect(statSync(path('shared/models')).mode & 0o777).toBe(0o755);
    }
  });

  test('pull writes the bytes that were pushed, and the signature beside', () => {
    const at = own();
    write('signed.safetensors', FILE);
    json(['keygen', '--out', 'pulled.key']);
    json(['sign', 'signed.safetensors', '--key', 'pulled.key']);
    const signature = readFileSync(path('signed.safetensors.sig'));
    expect(json(['push', 'signed.safetensors', '--name', 'fraud', '--alias', 'champion', ...at]).hasSignature).toBe(
      true,
    );
    run(['push', 'b.safetensors', '--name', 'fraud', ...at]);
    expect(run(['pull', 'models:/fraud@champion', '--out', 'pulled', '--signature', ...at]).status).toBe(0);
    expect(new Uint8Array(readFileSync(path('pulled')))).toEqual(FILE);
    expect(readFileSync(path('pulled.sig'))).toEqual(signature);
    expect(json(['pull', 'models:/fraud/2', '--out', 'pulled', ...at])).toMatchObject({ version: 2, out: 'pulled' });
    expect(new Uint8Array(readFileSync(path('pulled')))).toEqual(OTHER);
    const none = run(['pull', 'models:/fraud/2', '--out', 'unsigned', '--signature', ...at]);
    expect(none.stderr).toMatch(/^ERR_SIGNATURE version 2 of fraud: expected a signature beside it, got none/);
    expect(names()).not.toContain('unsigned');
  });

  test('sign and verify take a version of the registry: its signature is beside it there, and a demand knows the key', () => {
    const at = two();
    const { keyId } = json(['keygen', '--out', 'release.key', '--force']);
    const key = ['--key', 'release.key'];
    run(['registry', 'demand', 'fraud', 'champion', '--key', 'release.pem', ...at]);
    expect(run(['registry', 'alias', 'fraud', '2', 'champion', ...at]).stderr).toMatch(
      /^ERR_SIGNATURE signature of version 2/,
    );
    const before = run(['verify', 'models:/fraud/2', '--trust', 'release.pem', ...at]);
    expect([before.status, before.stderr]).toEqual([
      1,
      expect.stringMatching(/^ERR_SIGNATURE signature of version 2 of fraud/),
    ]);
    const signed = json(['sign', 'models:/fraud/2', ...key, '--by', 'ann', '--why', 'its gate', ...at]);
    expect(signed).toMatchObject({ keyId, signature: expect.stringContaining('version 2 of fraud') });
    expect(json(['registry', 'log', ...at]).events.at(-1)).toMatchObject({
      event: 'signed',
      by: 'ann',
      why: 'its gate',
    });
    expect(json(['verify', 'models:/fraud/2', '--trust', 'release.pem', ...at])).toMatchObject({
      verified: true,
      keyId,
    });
    expect(run(['registry', 'alias', 'fraud', '2', 'champion', ...at]).status).toBe(0);
    // into a file of its own it changes nothing there; the file verifies what it signed, and no other version
    const { events } = json(['registry', 'log', ...at]);
    expect(json(['sign', 'models:/fraud/1', ...key, '--out', 'one.sig', ...at]).signature).toBe('one.sig');
    expect(json(['registry', 'log', ...at]).events).toEqual(events);
    const by = (version: number) =>
      run(['verify', `models:/fraud/${version}`, '--trust', 'release.pem', '--signature', 'one.sig', ...at]).status;
    expect([by(1), by(2)]).toEqual([0, 1]);
    expect(run(['sign', 'models:/fraud/9', ...key, ...at]).stderr).toMatch(
      /^ERR_REGISTRY fraud: expected one of its versions/,
    );
  });

  test('an alias that is refused leaves the version, and says so', () => {
    const at = two();
    run(['registry', 'demand', 'fraud', 'champion', '--gate', ...at]);
    const { status, stdout, stderr } = run(['push', 'c.safetensors', '--name', 'fraud', '--alias', 'champion', ...at]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /version 3 stays, and champion does not name it\nERR_REGISTRY version 3 of fraud: .* went through none/,
    );
    expect(json(['registry', 'show', 'fraud', ...at]).aliases).toEqual({ champion: 1 });
  });

  test('an alias that nothing may have is refused before anything is pushed', () => {
    const at = two();
    for (const alias of ['7', 'latest', 'a/b', '']) {
      const { status, stderr } = run(['push', 'c.safetensors', '--name', 'fraud', '--alias', alias, ...at]);
      expect([status, stderr]).toEqual([1, expect.stringMatching(/^ERR_REGISTRY alias: expected a letter/)]);
    }
    expect(json(['registry', 'show', 'fraud', ...at]).versions).toHaveLength(2);
  });
});

test('every command that reads a model takes a reference', () => {
  const at = own();
  const data = oracle('lbw.csv');
  json(['train', data, '--target', 'low', '--drop', 'id,bwt', '--out', 'lbw.safetensors', '--C', '1']);
  run(['push', 'lbw.safetensors', '--name', 'low', '--alias', 'champion', ...at]);
  const same = (args: (model: string) => string[], drop: (result: object) => object = (result) => result) =>
    expect(drop(json([...args('models:/low@champion'), ...at]))).toEqual(drop(json(args('lbw.safetensors'))));
  same((model) => ['inspect', model]);
  same(
    (model) => ['eval', model, data],
    (result) => ({ ...result, model: null }),
  );
  const record = JSON.stringify({ age: 20, lwt: 100, race: 'white', smoke: 1, ptl: 0, ht: 0, ui: 0, ftv: 1 });
  same((model) => ['explain', model, '--record', record]);
  for (const [model, out] of [
    ['models:/low/1', 'one.csv'],
    ['lbw.safetensors', 'two.csv'],
  ])
    expect(run(['score', model, data, '--out', out, ...at]).status).toBe(0);
  expect(readFileSync(path('one.csv'), 'utf8')).toBe(readFileSync(path('two.csv'), 'utf8'));
  const warm = (start: string) =>
    json(['train', data, '--target', 'low', '--drop', 'id,bwt', '--C', '2', '--start', start, ...at]).fit.iterations;
  expect(warm('models:/low@champion')).toBe(warm('lbw.safetensors'));
  // what the model would be is not what a file of that name would be
  expect(run(['inspect', 'models:/low@best', ...at]).stderr).toMatch(
    /^ERR_REGISTRY low: expected one of its aliases \(champion\)/,
  );
  expect(run(['inspect', 'models:/low', ...at]).stderr).toMatch(
    /^ERR_REGISTRY models:\/low: expected models:\/NAME@ALIAS/,
  );
});

describe('changes', () => {
  test('aliases, tags, retirement, rollback: each says what is so now, and the log says who and why', () => {
    const at = two();
    const say = (...args: string[]) => {
      const { status, stdout, stderr } = run([...args, '--by', 'ann', ...at]);
      expect(status, stderr).toBe(0);
      return stdout;
    };
    expect(say('registry', 'alias', 'fraud', '2', 'champion', '--why', 'better')).toBe(
      'champion of fraud names version 2 (was version 1)\n',
    );
    expect(say('registry', 'alias', 'fraud', '2', 'champion')).toBe('champion of fraud names version 2, as before\n');
    expect(say('registry', 'rollback', 'fraud', '--why', 'worse in the south')).toBe(
      'champion of fraud names version 1 again (was version 2)\n',
    );
    expect(say('registry', 'tag', 'fraud', '2', 'team=risk,ticket=17')).toBe(
      'tags of version 2 of fraud: team=risk, ticket=17\n',
    );
    expect(say('registry', 'tag', 'fraud', '2', '--remove', 'ticket')).toBe('tags of version 2 of fraud: team=risk\n');
    expect(say('registry', 'alias', 'fraud', '2', 'shadow')).toBe('shadow of fraud names version 2\n');
    expect(run(['registry', 'alias', 'fraud', '1', 'shadow', '--remove', ...at]).stderr).toMatch(
      /expected an alias that names version 1, got shadow, which names version 2/,
    );
    expect(say('registry', 'alias', 'fraud', '2', 'shadow', '--remove')).toBe(
      'shadow of fraud names no version (was version 2)\n',
    );
    expect(say('registry', 'retire', 'fraud', '2', '--undo')).toBe('version 2 of fraud is in use, as before\n');
    expect(say('registry', 'retire', 'fraud', '2')).toBe(
      'version 2 of fraud is retired; its file stays until logodds registry gc\n',
    );
    expect(say('registry', 'retire', 'fraud', '2')).toBe('version 2 of fraud is retired, as before\n');
    expect(run(['push', 'b.safetensors', '--name', 'fraud', ...at]).stderr).toMatch(/retired; .*--restore/);
    expect(run(['inspect', 'models:/fraud/2', ...at]).stderr).toBe('note: version 2 of fraud is retired\n');
    expect(say('registry', 'gc', '--dry-run')).toMatch(/^1 file \([\d,]+ bytes\) would be removed\n {2}models\//);
    expect(say('registry', 'gc')).toMatch(/^1 file \([\d,]+ bytes\) removed\n$/);
    expect(run(['registry', 'retire', 'fraud', '2', '--undo', ...at]).stderr).toMatch(/it was collected/);
    expect(say('push', 'b.safetensors', '--name', 'fraud', '--restore')).toBe('2\n');
    const { keyId } = json(['keygen', '--out', 'demanded.key']);
    expect(say('registry', 'demand', '*', 'champion', '--gate', '--key', 'demanded.pem')).toBe(
      `  champion of every model  a gate that was passed, a signature of ${keyId}\n`,
    );
    expect(say('registry', 'demand', '*', 'champion', '--none')).toBe('nothing is demanded\n');
    const text = run(['registry', 'log', 'fraud', ...at]).stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME');
    expect(text).toContain(' 4  TIME  ann: fraud: version 2 promoted to champion (was 1) (better)\n');
    expect(text).toContain(' 5  TIME  ann: fraud: rolled back to version 1 (was 2) (worse in the south)\n');
    expect(run(['registry', 'list', ...at]).stdout).toMatch(
      /model +versions +aliases +last push +champion: sha256 +of the model\n +fraud +2 +champion 1 /,
    );
    expect(run(['registry', 'verify', ...at])).toMatchObject({ status: 0 });
  });

  test('a rollout has steps, guards, arms; advancing it to the end promotes, and a rollback goes back', () => {
    const at = two();
    const plan = ['--steps', '0.05,0.25', '--hold', '1h,2d', '--promote', '--error-ratio', '2', '--slow', '50ms'];
    expect(json(['rollout', 'start', 'fraud', '--challenger', '2', ...plan, '--salt', 's', ...at])).toMatchObject({
      ...{ name: 'fraud', isRunning: true, champion: 1, challenger: 2, step: 0 },
      plan: {
        kind: 'canary',
        steps: [
          { share: 0.05, holdSeconds: 3600 },
          { share: 0.25, holdSeconds: 172_800 },
        ],
        salt: 's',
        guards: { errorRatio: 2, slowSeconds: 0.05 },
        promotes: true,
      },
    });
    expect(run(['rollout', 'status', ...at]).stdout).toMatch(/→ 5\.0 % at least 1 h, 25\.0 % at least 2 d/);
    expect(run(['rollout', 'start', 'fraud', '--challenger', '2', '--share', '1', ...at]).stderr).toMatch(
      /^ERR_REGISTRY fraud: expected no rollout, got one of version 2/,
    );
    json(['rollout', 'advance', 'fraud', ...at]);
    expect(json(['rollout', 'advance', 'fraud', ...at])).toMatchObject({
      isRunning: false,
      outcome: 'promoted',
      championNow: 2,
    });
    expect(run(['registry', 'rollback', 'fraud', ...at]).stdout).toBe(
      'champion of fraud names version 1 again (was version 2)\n',
    );
    // a rollback in the midst of one ends it
    const shadow = ['rollout', 'start', 'fraud', '--challenger', '2', '--kind', 'shadow', '--max-psi', '0.2'];
    expect(json([...shadow, ...at]).plan).toMatchObject({ kind: 'shadow', steps: [{ share: 1, holdSeconds: null }] });
    expect(run(['registry', 'rollback', 'fraud', '--why', 'slow', ...at]).stdout).toBe(
      'the rollout of version 2 is over; champion of fraud names version 1, as before\n',
    );
    run(['push', 'c.safetensors', '--name', 'fraud', ...at]);
    const ab = [
      'rollout',
      'start',
      'fraud',
      '--challenger',
      '2',
      '--kind',
      'ab',
      '--share',
      '0.3',
      '--key',
      'customer',
    ];
    expect(json([...ab, '--arm', 'b=3:0.2', '--manual', ...at]).plan).toMatchObject({
      ...{ kind: 'ab', key: 'customer', isAutomatic: false, arms: [{ name: 'b', version: 3, share: 0.2 }] },
    });
    expect(json(['rollout', 'abort', 'fraud', '--why', 'enough', ...at])).toMatchObject({
      outcome: 'aborted',
      why: 'enough',
    });
  });
});

describe('wrong input leaves what was there', () => {
  test.each<[string, (at: string[]) => string[], RegExp]>([
    [
      'a model that is none',
      (at) => ['push', log(at), '--name', 'fraud'],
      /^ERR_FORMAT .*log\.jsonl: model file: expected a model/,
    ],
    [
      'a file that is not there',
      () => ['push', 'none.safetensors', '--name', 'fraud'],
      /^ERR_DATA none\.safetensors: expected a model file/,
    ],
    [
      'a name that is none',
      () => ['push', 'c.safetensors', '--name', 'a/b'],
      /^ERR_REGISTRY name: expected 1 to 128 characters/,
    ],
    [
      'a parent that is not there',
      () => ['push', 'c.safetensors', '--name', 'fraud', '--parent', '9'],
      /expected one of its versions \(1 to 2\), got 9/,
    ],
    [
      'data that are not there',
      () => ['push', 'c.safetensors', '--name', 'fraud', '--data', 'none.csv'],
      /^ERR_DATA --data none\.csv: expected a file that can be read/,
    ],
    [
      'an alias of nothing',
      () => ['registry', 'alias', 'fraud', '7', 'champion'],
      /expected one of its versions \(1 to 2\), got 7/,
    ],
    [
      'an alias of a name that is not there',
      () => ['registry', 'alias', 'loans', '1', 'champion'],
      /^ERR_REGISTRY loans: expected a model of the registry \(fraud\)/,
    ],
    [
      'an alias of a word',
      () => ['registry', 'alias', 'fraud', 'two', 'champion'],
      /^ERR_RANGE version: expected its number, got two/,
    ],
    [
      'an alias like a version',
      () => ['registry', 'alias', 'fraud', '2', 'v2'],
      /^ERR_REGISTRY alias: expected a letter/,
    ],
    [
      'a rollback to nothing',
      () => ['registry', 'rollback', 'fraud'],
      /expected a version that was champion before, got none/,
    ],
    [
      'a rollback to what was never champion',
      () => ['registry', 'rollback', 'fraud', '--to', '2'],
      /expected one that was champion before \(1\), got another/,
    ],
    [
      'retiring the champion',
      () => ['registry', 'retire', 'fraud', '1'],
      /got champion; move it, or take it away by logodds registry alias fraud 1 champion --remove/,
    ],
    [
      'shares above 1',
      () => ['rollout', 'start', 'fraud', '--challenger', '2', '--kind', 'ab', '--share', '0.9', '--arm', 'b=2:0.2'],
      /^ERR_RANGE rollout, shares: expected at most 1 together, got 1\.1/,
    ],
    [
      'steps that fall',
      () => ['rollout', 'start', 'fraud', '--challenger', '2', '--steps', '0.5,0.1'],
      /share of step 2: expected one that is not below/,
    ],
    [
      'no share',
      () => ['rollout', 'start', 'fraud', '--challenger', '2'],
      /expected --share or --steps for canary, got none/,
    ],
    [
      'more times than steps',
      () => ['rollout', 'start', 'fraud', '--challenger', '2', '--share', '1', '--hold', '1h,1h'],
      /^ERR_RANGE --hold: expected a time for each of 1 step at most/,
    ],
    [
      'a rollout of the champion',
      () => ['rollout', 'start', 'fraud', '--challenger', 'champion', '--share', '0.1'],
      /expected a challenger that is not the champion/,
    ],
    ['advancing none', () => ['rollout', 'advance', 'fraud'], /expected a rollout that goes on, got none/],
    [
      'a place of another kind',
      () => ['registry', 'list', '--registry', 'ftp://x/y'],
      /^ERR_STORE ftp:\/\/x\/y: expected a folder, s3:/,
    ],
    [
      'a bucket without a name',
      () => ['registry', 'list', '--registry', 's3://'],
      /^ERR_STORE s3:\/\/: expected s3:\/\/BUCKET/,
    ],
    [
      'a file as the registry',
      () => ['registry', 'list', '--registry', 'a.safetensors'],
      /^ERR_STORE registry a\.safetensors: expected log\.jsonl to be read, got an error \(not a directory\)/,
    ],
    [
      'a folder of something else',
      () => ['push', 'c.safetensors', '--name', 'fraud', '--registry', '.'],
      /^ERR_STORE registry \.: expected a registry or an empty folder, got a folder with/,
    ],
  ])('%s', (_, args, message) => {
    const at = two();
    const before = readFileSync(log(at), 'utf8');
    const files = readdirSync(path(`${at[1]}/models`));
    const given = args(at);
    const { status, stdout, stderr } = run(given.includes('--registry') ? given : [...given, ...at]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(readFileSync(log(at), 'utf8')).toBe(before);
    expect(readdirSync(path(`${at[1]}/models`))).toEqual(files);
  });

  test.each([
    [
      'a share above 1',
      ['rollout', 'start', 'fraud', '--challenger', '2', '--share', '1.5'],
      /from 0 to 1, got "1\.5"/,
    ],
    [
      'a time without a unit',
      ['rollout', 'start', 'fraud', '--challenger', '2', '--share', '1', '--hold', '60'],
      /a time such as 50ms, 90s/,
    ],
    [
      'an arm without a share',
      ['rollout', 'start', 'fraud', '--challenger', '2', '--arm', 'b=2'],
      /NAME=VERSION:SHARE/,
    ],
    [
      'share and steps',
      ['rollout', 'start', 'fraud', '--challenger', '2', '--share', '1', '--steps', '1'],
      /cannot be used with/,
    ],
    [
      'a metric that is no number',
      ['push', 'a.safetensors', '--name', 'fraud', '--metric', 'auc=x'],
      /a finite number, got "x"/,
    ],
    ['no command', ['registry'], /Usage: logodds registry/],
    ['an unknown command', ['registry', 'lst'], /Did you mean list\?/],
    ['tags without a text', ['registry', 'tag', 'fraud', '1', 'team'], /NAME=VALUE pairs/],
    ['a demand of nothing', ['registry', 'demand', 'fraud', 'champion'], /give --key, --gate or --none/],
  ])('%s is wrong usage: status 2', (_, args, message) => {
    const { status, stderr } = run(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  test('promoting past a failed gate', () => {
    const at = two();
    // what `logodds gate` writes
    const lines = readFileSync(log(at), 'utf8').trimEnd().split('\n');
    const last = JSON.parse(lines.at(-1)!);
    const { format, by } = last;
    appendFileSync(
      log(at),
      `${JSON.stringify({ format, seq: 4, before: digest(Buffer.from(lines.at(-1)!)), id: 'x', at: last.at, by, event: 'gated', name: 'fraud', version: 2, against: 1, passed: false, failed: ['auc'] })}\n`,
    );
    const { status, stderr } = run(['registry', 'alias', 'fraud', '2', 'champion', ...at]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/expected one that has passed its gate, got one that failed it \(auc\)/);
    expect(run(['registry', 'show', 'fraud', ...at]).stdout).toMatch(/failed: auc/);
    for (const args of [
      ['registry', 'rollback', 'fraud', '--to', '2'],
      ['rollout', 'start', 'fraud', '--challenger', '2', '--share', '1', '--promote'],
    ])
      expect(run([...args, ...at]).status).toBe(1);
    expect(json(['registry', 'show', 'fraud', ...at]).aliases).toEqual({ champion: 1 });
  });

  test('a corrupt line is named by every command, and the rest is readable; verify exits with 1', () => {
    const at = two();
    const lines = readFileSync(log(at), 'utf8').split('\n');
    writeFileSync(log(at), [lines[0], lines[1].replace('"version":2', '"version":5'), ...lines.slice(2)].join('\n'));
    const shown = run(['registry', 'list', ...at]);
    expect(shown.status).toBe(0);
    expect(shown.stderr).toMatch(
      /^warning: REGISTRY_DAMAGED registry-\d+, log\.jsonl, line 2: line 2 was changed after it was written/,
    );
    expect(run(['inspect', 'models:/fraud@champion', ...at])).toMatchObject({ status: 0, stderr: shown.stderr });
    const verified = run(['registry', 'verify', '--json', ...at]);
    expect(verified.status).toBe(1);
    expect(JSON.parse(verified.stdout)).toMatchObject({ isSound: false, faults: [{ line: 2, kind: 'damaged' }] });
    expect(verified.stderr).toMatch(/^ERR_STORE registry-\d+: expected an undamaged registry, got 1 problem/);
    expect(run(['registry', 'verify', ...at]).stdout).toMatch(/log\.jsonl, line 2: line 2 was changed/);
  });

  test('a file that was changed is never pulled, nor scored with', () => {
    const at = two();
    const { versions } = json(['registry', 'show', 'fraud', ...at]);
    const file = path(`${at[1]}/models/${versions[0].sha256}.safetensors`);
    writeFileSync(file, OTHER);
    for (const args of [
      ['pull', 'models:/fraud/1', '--out', 'changed'],
      ['inspect', 'models:/fraud/1'],
    ])
      expect(run([...args, ...at]).stderr).toMatch(
        /^ERR_STORE .* expected a file with the digest .*; it was changed: put it back from a copy/,
      );
    expect(names()).not.toContain('changed');
    rmSync(file);
    const { status, stdout } = run(['registry', 'verify', ...at]);
    expect([status, stdout]).toEqual([1, expect.stringMatching(/expected the file of version 1 of fraud/)]);
    // a push of the file mends it
    run(['push', 'a.safetensors', '--name', 'fraud', ...at]);
    expect(run(['registry', 'verify', ...at]).status).toBe(0);
  });

  test('a registry of a newer format is refused by every command', () => {
    const at = two();
    const line = readFileSync(log(at), 'utf8').trimEnd().split('\n').at(-1)!;
    const newer = `${JSON.stringify({ ...JSON.parse(line), format: 2, seq: 4, before: digest(Buffer.from(line)) })}\n`;
    appendFileSync(log(at), newer);
    for (const args of [
      ['registry', 'list'],
      ['push', 'c.safetensors', '--name', 'fraud'],
      ['inspect', 'models:/fraud/1'],
      ['registry', 'verify'],
    ])
      expect(run([...args, ...at])).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^ERR_FORMAT .*expected events of format 1, got 2 in line 4 of log\.jsonl/),
      });
  });

  // the superuser may write everything
  test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')('no permission', () => {
    const at = two();
    chmodSync(path(at[1]), 0o500);
    chmodSync(log(at), 0o400);
    const { stderr } = run(['registry', 'alias', 'fraud', '2', 'champion', ...at]);
    expect(stderr).toMatch(/^ERR_STORE .*permission denied.*; give this user the right; what was there stays/);
    expect(json(['registry', 'show', 'fraud', ...at]).aliases).toEqual({ champion: 1 });
    chmodSync(path(at[1]), 0o700);
  });

  // a file that may have no byte more stands for a disk that is full
  test.skipIf(process.platform === 'win32')('no space: the old state stays, and what comes later goes on', () => {
    const at = two();
    const { size } = statSync(log(at));
    const blocks = Math.floor(size / 1024);
    const { status, stderr } = run(['registry', 'alias', 'fraud', '2', 'champion', ...at, '--why', 'x'.repeat(3000)], {
      shell: `trap '' XFSZ; ulimit -f ${blocks + 1}`,
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ERR_STORE registry .*; what was there stays\n$/);
    expect(json(['registry', 'show', 'fraud', ...at]).aliases).toEqual({ champion: 1 });
    expect(run(['registry', 'alias', 'fraud', '2', 'champion', ...at]).status).toBe(0);
    expect(json(['registry', 'verify', ...at])).toMatchObject({ isSound: true });
  });
});

test('a reason of several lines is one line of the log: no event can be made up', () => {
  const at = two();
  const why = 'tired\n9  2026-11-30 10:00:00  eve: fraud: version 2 promoted to champion';
  run(['registry', 'alias', 'fraud', '2', 'best', '--by', 'ann', '--why', why, ...at]);
  const lines = run(['registry', 'log', ...at])
    .stdout.trimEnd()
    .split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[3]).toMatch(/^4 {2}\S+ \S+ {2}ann: fraud: best names version 2 \(tired 9 {2}2026/);
});

test('of a rollout it is said what comes next, and of one that is over nothing does', () => {
  const at = two();
  const next = (...plan: string[]) => {
    const { stdout } = run(['rollout', 'start', 'fraud', '--challenger', '2', ...plan, ...at]);
    const ended = run(['rollout', 'abort', 'fraud', ...at]).stdout;
    expect(ended).toMatch(/aborted: the champion answers everything/);
    expect(ended).not.toMatch(/then|→/);
    return /^ {2}then +(.*)$/m.exec(stdout)?.[1];
  };
  const decides = 'somebody decides: logodds rollout advance or abort';
  const champion = 'the challenger becomes champion';
  const goesOn = 'somebody goes on: logodds rollout advance';
  const byItself = 'steps follow by themselves while no guard objects';
  expect(next('--share', '0.1')).toBe(decides);
  expect(next('--share', '0.1', '--promote')).toBe(`${goesOn}; after the last one ${champion}`);
  expect(next('--steps', '0.1,1')).toBe(`${goesOn}; after the last one ${decides}`);
  expect(next('--steps', '0.1,1', '--hold', '1h')).toBe(`${byItself}; after the last one ${decides}`);
  expect(next('--steps', '0.1,1', '--hold', '1h', '--promote')).toBe(`${byItself}; after the last one ${champion}`);
  expect(next('--steps', '0.1,1', '--hold', '1h', '--manual')).toBe(`${goesOn}; after the last one ${decides}`);
});

test('where no registry is, none is sound, and nothing is collected', () => {
  mkdirSync(path('lost/models'), { recursive: true });
  write(`lost/models/${digest(FILE)}.safetensors`, FILE);
  for (const place of ['mistyped', 'lost'])
    for (const command of [['verify'], ['gc', '--older', '0s']])
      expect(run(['registry', ...command, '--registry', place])).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(
          `ERR_STORE ${place}: expected a registry, got a place without a log of one; correct --registry\n$`,
        ),
      });
  expect(names()).not.toContain('mistyped');
  expect(readdirSync(path('lost/models'))).toHaveLength(1);
});

test('a place that is empty says so', () => {
  mkdirSync(path('empty'));
  expect(run(['registry', 'list', '--registry', 'empty']).stdout).toBe(
    'empty: no models; logodds push puts one there\n',
  );
  expect(run(['registry', 'log', '--registry', 'none']).stdout).toBe('none: nothing has happened\n');
  expect(run(['rollout', 'status', '--registry', 'none']).stdout).toBe('none: no rollout\n');
  expect(names()).not.toContain('none');
});
