import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rollouts } from '../../cli/src/serve/rollouts.ts';
import { MEMBERS, readRoutes } from '../../cli/src/serve/routes.ts';
import { MemoryStore, Registry } from '../../registry/src/index.ts';
import { createService, type Followed, type LogLine } from '../../service/src/index.ts';
import { MODELS, modelOf } from './segments.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logodds-segments-'));
});
const open: Rollouts[] = [];
afterEach(() => {
  for (const rollouts of open.splice(0)) rollouts.close();
  rmSync(folder, { recursive: true, force: true });
});

const SCHEMA = JSON.parse(readFileSync(new URL('../../cli/routes.schema.json', import.meta.url), 'utf8'));
const fits = new (Ajv as unknown as typeof Ajv.default)({ strict: false }).compile(SCHEMA);

const ROUTES = {
  $schema: 'routes.schema.json',
  fraud: {
    segments: [
      {
        name: 'de',
        when: { country: 'DE' },
        model: 'fraud-de',
        challenger: { model: 'next', share: 0.5 },
        guards: { minRequests: 50 },
      },
      { name: 'large', when: { country: { not: ['DE'] }, amount: { '>=': 500, '<': 1e9 } }, model: 'fraud-large' },
      { name: 'rest', when: 'otherwise', model: 'fraud' },
    ],
    fallback: 'next',
  },
};

/** Rollouts of a file, over models of files and those of a registry. */
function serve(
  routes: unknown,
  registry: Registry | null = null,
  models: readonly Followed[] = [],
  files: object = MODELS,
) {
  const path = join(folder, 'routes.json');
  const write = (now: unknown) => {
    writeFileSync(path, typeof now === 'string' ? now : JSON.stringify(now));
    utimesSync(path, 1, 1);
  };
  write(routes);
  const lines: LogLine[] = [];
  const log = (line: LogLine) => void lines.push(line);
  const rollouts = new Rollouts({ routes: path, workers: 1 }, log);
  open.push(rollouts);
  const service = createService({
    routing: rollouts.routing,
    log,
    models: Object.entries(files).map(([name, model]) => ({ name, model: Uint8Array.from(model as Uint8Array) })),
  });
  const ask = async (record: object, name = 'fraud', headers: Record<string, string> = {}) => {
    const body = JSON.stringify(record);
    const request = new Request(`http://localhost/models/${name}/score`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    const response = await service.fetch(request);
    const of = (header: string) => response.headers.get(`x-model-${header}`);
    return [response.status, of('segment'), of('name'), of('version'), of('route')];
  };
  const begin = async () => {
    rollouts.knows([...models, ...rollouts.references(models)]);
    if (registry) await rollouts.follow(service, registry as never);
    rollouts.begin(service);
  };
  return { rollouts, service, ask, begin, write, lines };
}
const DE = { amount: 1, country: 'DE', kind: 'card' };
const FR = { amount: 1, country: 'FR', kind: 'card' };

test('the schema has the members that the reader takes, and takes what it takes', () => {
  const { entry, segment } = SCHEMA.$defs;
  const { challenger, arms, answer } = entry.properties;
  for (const [kind, { properties }] of Object.entries({ entry, segment, challenger, arm: arms.items, answer }))
    expect([kind, Object.keys(properties).sort()]).toEqual([kind, [...MEMBERS[kind as keyof typeof MEMBERS]].sort()]);
  expect(fits(ROUTES)).toBe(true);
});

test('a file of routes divides records; when it changes they follow it, and a faulty one changes nothing', async () => {
  const { begin, ask, write, rollouts, lines } = serve(ROUTES);
  await begin();
  const challenger = await ask(DE, 'fraud', { 'x-logodds-route': 'challenger' });
  expect([challenger[1], challenger[2], challenger[4]]).toEqual(['de', 'next', 'challenger']);
  expect((await ask({ ...FR, amount: 500, age: 3 }))[1]).toBe('large');
  expect((await ask(FR)).slice(1, 3)).toEqual(['rest', 'fraud']);
  const segments = [{ name: 'fr', when: { country: 'FR' }, model: 'fraud-de' }, ROUTES.fraud.segments[2]];
  write({ fraud: { segments } });
  rollouts.look();
  expect((await ask(FR)).slice(1, 3)).toEqual(['fr', 'fraud-de']);
  expect((await ask(DE)).slice(1, 3)).toEqual(['rest', 'fraud']);
  // the second name is faulty: the first one stays as well
  const faulty = [
    { name: 'a', when: { x: 1 }, model: 'fraud-de' },
    { name: 'rest', when: 'otherwise', model: 'next' },
  ];
  write({ fraud: { segments: ROUTES.fraud.segments }, other: { segments: faulty } });
  for (let i = 0; i < 3; i++) rollouts.look();
  expect((await ask(FR)).slice(1, 3)).toEqual(['fr', 'fraud-de']);
  expect(lines.filter(({ event }) => event === 'routes').map(({ reason }) => reason)).toEqual([
    expect.stringMatching(
      /route other, field "x": expected a field of its models \("amount", .*got none; correct it, or name its type under "fields"/,
    ),
  ]);
  write('{ "fraud": ');
  rollouts.look();
  expect((await ask(FR)).slice(1, 3)).toEqual(['fr', 'fraud-de']);
  // what is gone from the file is gone
  write({ fraud: { challenger: { model: 'next', share: 1 } } });
  rollouts.look();
  expect((await ask(FR)).slice(1)).toEqual([null, 'next', expect.any(String), 'challenger']);
  write({});
  rollouts.look();
  expect((await ask(FR)).slice(1)).toEqual([null, 'fraud', expect.any(String), null]);
});

const segmentsWith = (...first: object[]) => ({ fraud: { segments: [...first, ROUTES.fraud.segments[2]] } });
const de = ROUTES.fraud.segments[0];
const REFUSED: readonly [what: string, routes: unknown, message: RegExp, isOfSchema: boolean][] = [
  [
    'an unknown member of a segment',
    segmentsWith({ ...de, whenn: 1 }),
    /segment de: expected name, when, .*got "whenn"; did you mean when\?/,
    true,
  ],
  [
    'an unknown member of an entry',
    { fraud: { segment: [] } },
    /fraud: expected challenger, .*got "segment"; did you mean segments\?/,
    true,
  ],
  [
    'an unknown member of a challenger',
    segmentsWith({ ...de, challenger: { model: 'next', share: 0.1, sher: 1 } }),
    /challenger: expected model, share, got "sher"/,
    true,
  ],
  [
    'an unknown member of a band',
    segmentsWith({ ...de, when: { amount: { '=>': 1 } } }),
    /a band of >=, >, <, <=, got =>/,
    true,
  ],
  ['no model', segmentsWith({ name: 'de', when: { country: 'DE' } }), /segment de: expected a model, got none/, true],
  ['no when', segmentsWith({ name: 'de', model: 'fraud-de' }), /segment de: expected when, got none/, true],
  ['two otherwise', segmentsWith({ ...de, when: 'otherwise' }), /one of them "otherwise", got de and rest/, false],
  [
    'overlapping bands',
    segmentsWith({ ...de, when: { amount: { '<': 5 } } }, { ...de, name: 'b', when: { amount: { '<=': 4 } } }),
    /got de and b, which may both have one/,
    false,
  ],
  [
    'shares above 1',
    segmentsWith({ ...de, arms: [{ name: 'b', model: 'fraud', share: 0.6 }] }),
    /route fraud\/de, shares: expected at most 1 together, got 1.1/,
    false,
  ],
  ['segments that are no list', { fraud: { segments: {} } }, /fraud: expected a list of segments, got object/, true],
  [
    'fields without segments',
    { fraud: { fields: { a: 'number' } } },
    /fraud: expected segments beside fields, got none/,
    false,
  ],
  [
    'a type that is none',
    { fraud: { ...ROUTES.fraud, fields: { a: 'text' } } },
    /fields, "a": expected number or category, got text/,
    true,
  ],
  [
    'a route of a name that no segment has',
    { risk: { ...ROUTES.fraud } },
    /risk: expected a segment that risk itself answers, got none/,
    false,
  ],
  [
    'a segment of another with segments',
    { ...ROUTES, risk: { segments: [{ name: 'a', when: 'otherwise', model: 'fraud' }] } },
    /risk, segment a: expected a model without segments, got fraud/,
    false,
  ],
  ['a list', [], /routes: expected an object, got a list/, true],
  ['a model that is a number', segmentsWith({ ...de, shadow: 7 }), /segment de, shadow: expected a text, got 7/, true],
];
test.each(REFUSED)('a file of routes with %s is refused when it is read', (_, routes, message, isOfSchema) => {
  const path = join(folder, 'routes.json');
  writeFileSync(path, JSON.stringify(routes));
  expect(() => readRoutes(path)).toThrow(message);
  expect(fits(routes)).toBe(!isOfSchema);
});

test.each([
  [
    'a model that nobody serves',
    segmentsWith({ ...de, model: 'fraud-dee' }),
    /expected models that are served \(.*got "fraud-dee"; did you mean fraud-de\?/,
  ],
  [
    'a challenger that nobody serves',
    segmentsWith({ ...de, challenger: { model: 'xyzzy', share: 0.1 } }),
    /got "xyzzy"; serve it too, or correct the name/,
  ],
  [
    'a field that no model has',
    segmentsWith({ ...de, when: { contry: 'DE' } }),
    /field "contry": expected a field of its models/,
  ],
])('a service does not begin with %s', async (_, routes, message) => {
  await expect(serve(routes).begin()).rejects.toThrow(message);
});

test('segments follow aliases of a registry: moves, rollouts and rollback, and another reference when the file changes', async () => {
  const registry = new Registry(new MemoryStore());
  const ann = { by: 'ann' };
  for (const seed of [1, 2, 3])
    await registry.push({
      ...ann,
      name: 'fraud-de',
      file: modelOf(seed, ['amount', 'kind']) as Uint8Array<ArrayBuffer>,
    });
  await registry.alias('fraud-de', 1, 'champion', ann);
  await registry.alias('fraud-de', 2, 'cautious', ann);
  const segmentsOf = (model: string) => ({
    fraud: {
      fields: { country: 'category' },
      segments: [
        { name: 'de', when: { country: 'DE' }, model },
        { name: 'rest', when: 'otherwise', model: 'fraud' },
      ],
    },
  });
  const { begin, ask, rollouts, write, service } = serve(segmentsOf('models:/fraud-de@champion'), registry, [], {
    fraud: MODELS.fraud,
  });
  await begin();
  /** What answers when the service has looked as often as it needs. */
  const answers = (expected: readonly unknown[], record = DE) =>
    expect
      .poll(
        () => {
          rollouts.look();
          return ask(record);
        },
        { timeout: 20_000, interval: 5 },
      )
      .toEqual(expected);
  expect(await ask(DE)).toEqual([200, 'de', 'fraud-de', '1', 'champion']);
  await registry.alias('fraud-de', 3, 'champion', ann);
  await answers([200, 'de', 'fraud-de', '3', 'champion']);
  await registry.rollback('fraud-de', null, ann);
  await answers([200, 'de', 'fraud-de', '1', 'champion']);
  const plan = { kind: 'ab' as const, salt: 's', steps: [{ share: 1, holdSeconds: null }], guards: { minRequests: 5 } };
  await registry.startRollout('fraud-de', 3, plan, ann);
  await answers([200, 'de', 'fraud-de', '3', 'challenger']);
  expect(await ask(FR)).toEqual([200, 'rest', 'fraud', expect.any(String), 'champion']);
  await registry.endRollout('fraud-de', 'aborted', ann);
  await answers([200, 'de', 'fraud-de', '1', 'champion']);
  // what is not loaded yet is waited for
  write(segmentsOf('models:/fraud-de@cautious'));
  rollouts.look();
  expect(await ask(DE)).toEqual([200, 'de', 'fraud-de', '1', 'champion']);
  await answers([200, 'de', 'fraud-de%40cautious', '2', 'champion']);
  await registry.alias('fraud-de', 3, 'cautious', ann);
  await answers([200, 'de', 'fraud-de%40cautious', '3', 'champion']);
  expect(service.models.fronts()).toEqual(['fraud']);
});

test('a reference to a registry that the service does not have is told, and changes nothing', async () => {
  const { begin, ask, rollouts, write, lines } = serve(ROUTES);
  await begin();
  write(segmentsWith({ ...de, model: 'models:/fraud-de@champion' }));
  rollouts.look();
  expect(lines.at(-1)!['reason']).toMatch(
    /got fraud-de of a registry, which was none of them at the start; start the service anew/,
  );
  expect((await ask(FR))[2]).toBe('fraud');
});
