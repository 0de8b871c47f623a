import { columnFromArray, tableFromColumns, tableFromIPC, tableToIPC } from '@uwdata/flechette';
import fc from 'fast-check';
import { loadModel } from 'logodds';
import { expect, test } from 'vitest';
import { armOf, type PredictionLine, PredictionLines, type Scored } from '../../service/src/index.ts';
import { sweep } from '../full.ts';
import { divided, MODELS, modelOf, routeBy, SEGMENTS, to } from './segments.ts';

type Row = Record<string, unknown>;
const model = Object.fromEntries(
  Object.entries(MODELS).map(([name, file]) => [name, loadModel(Uint8Array.from(file))]),
) as Record<keyof typeof MODELS, ReturnType<typeof loadModel>>;

/** What a row has by the rules of SEGMENTS, written anew. */
function modelFor({ country, amount }: Row): keyof typeof MODELS {
  if (country === 'DE') return 'fraud-de';
  return country != null && typeof amount === 'number' && amount >= 500 ? 'fraud-large' : 'fraud';
}
const nameOf = { 'fraud-de': 'de', 'fraud-large': 'large', fraud: 'rest', next: '' };

const rowArbitrary = fc.record({
  amount: fc.oneof(fc.double({ min: 0, max: 2000, noNaN: true }), fc.constantFrom(499.999, 500, null)),
  country: fc.constantFrom('DE', 'FR', 'GB', 'XX', null),
  kind: fc.constantFrom('card', 'bank', 'other', null),
  age: fc.oneof(fc.integer({ min: 18, max: 99 }), fc.constant(null)),
});
const rowsArbitrary = fc.array(rowArbitrary, { minLength: 2, maxLength: 40 });

/** What each row has apart: by its own model, as the library scores it. */
const apart = (rows: readonly Row[]) =>
  rows.map((row) => {
    const name = modelFor(row);
    const { probability, logit, label } = model[name].score(row);
    return { probability, logit, label, segment: nameOf[name], model: name };
  });
const FIELDS = ['amount', 'country', 'kind', 'age'];
const csvOf = (rows: readonly Row[]) =>
  `${FIELDS.join()}\n${rows.map((row) => FIELDS.map((name) => row[name] ?? '').join()).join('\n')}\n`;
const cellOf = (text: string) => text.trim().split(',');
const own = (score: Row) => {
  const { probability, logit, label, segment, model } = score;
  return { probability, logit, label, segment, model };
};

/** A body in pieces that end anywhere. */
function chunked(text: string, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      [...ends, bytes.length].reduce((from, end) => {
        controller.enqueue(bytes.slice(from, end));
        return end;
      }, 0);
      controller.close();
    },
  });
}

const { post } = divided();

test('rows of several segments in one body have the bits that each has apart, in their order, by every protocol', async () => {
  await fc.assert(
    fc.asyncProperty(rowsArbitrary, fc.array(fc.nat(5000), { maxLength: 6 }), async (rows, cuts) => {
      const wanted = apart(rows);
      const plain = wanted.map(({ probability }) => probability);
      for (const body of [rows, { records: rows }]) {
        const { scores } = await (await post('/models/fraud/score', JSON.stringify(body))).json();
        expect(scores.map(own)).toEqual(wanted);
      }
      const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
      const lines = await post('/models/fraud/score', chunked(text, cuts), { 'content-type': 'application/x-ndjson' });
      expect(
        (await lines.text())
          .trim()
          .split('\n')
          .map((line) => own(JSON.parse(line))),
      ).toEqual(wanted);
      const csv = await post('/models/fraud/score', chunked(csvOf(rows), cuts), { 'content-type': 'text/csv' });
      const [head, ...cells] = (await csv.text())
        .trim()
        .split('\n')
        .map((line) => line.split(','));
      expect(head).toEqual(['row', 'p_no', 'p_yes', 'label', 'segment', 'model', 'version', 'route', 'error']);
      expect(cells.map(([row, , p, label, segment, name]) => [row, p, label, segment, name])).toEqual(
        wanted.map((one, i) => [`${i}`, `${one.probability}`, one.label, one.segment, one.model]),
      );
      const v1 = await post('/v1/models/fraud:predict', JSON.stringify({ instances: rows }));
      expect((await v1.json()).predictions).toEqual(plain);
      const invoked = await post('/invocations', csvOf(rows), { 'content-type': 'text/csv' });
      expect((await invoked.json()).predictions).toEqual(plain);
      const torch = await post('/predictions/fraud', JSON.stringify(rows));
      expect((await torch.json()).map(({ yes }: Row) => yes)).toEqual(plain);
      const inputs = FIELDS.map((name) => ({
        name,
        datatype: name === 'amount' || name === 'age' ? 'FP64' : 'BYTES',
        shape: [rows.length],
        data: rows.map((row) => row[name as keyof typeof row]),
      }));
      const { outputs } = await (await post('/v2/models/fraud/infer', JSON.stringify({ inputs }))).json();
      const tensor = (name: string) => outputs.find((one: Row) => one['name'] === name).data;
      expect(tensor('logit')).toEqual(wanted.map(({ logit }) => logit));
      expect(tensor('label')).toEqual(wanted.map(({ label }) => label));
      expect(tensor('segment')).toEqual(wanted.map(({ segment }) => segment));
      const table = tableFromColumns(
        Object.fromEntries(
          FIELDS.map((name) => [name, columnFromArray(rows.map((row) => row[name as keyof typeof row]))]),
        ),
      );
      // a column without any value has no type
      if (FIELDS.some((name) => rows.every((row) => row[name as keyof typeof row] === null))) return;
      const arrow = await post('/models/fraud/score', tableToIPC(table, { format: 'stream' })! as BodyInit, {
        'content-type': 'application/vnd.apache.arrow.stream',
      });
      const back = tableFromIPC(new Uint8Array(await arrow.arrayBuffer()));
      expect([...back.getChild('logit')]).toEqual(wanted.map(({ logit }) => logit));
      expect([...back.getChild('segment')]).toEqual(wanted.map(({ segment }) => segment));
      expect([...back.getChild('model')]).toEqual(wanted.map(({ model: name }) => name));
    }),
    { numRuns: sweep(25, 300), seed: 7 },
  );
}, 120_000);

/** Bodies with all that may be wrong with them. */
const strangeRow = fc.oneof(
  { weight: 6, arbitrary: rowArbitrary.map((row) => JSON.stringify(row)) },
  fc.constantFrom(
    '{"amount":"x","country":"DE","kind":"card"}',
    '{"kind":"card"}',
    '7',
    'null',
    '[]',
    '{"amount":1,',
    'nonsense',
    '',
    '  ',
  ),
  fc.constantFrom(
    '{"amount":1e999,"country":"DE","kind":"card"}',
    '{"country":"DE","country":"FR","amount":1,"kind":"card"}',
  ),
);
const strangeLine = fc.oneof(
  { weight: 6, arbitrary: rowArbitrary.map((row) => FIELDS.map((name) => row[name as keyof typeof row] ?? '').join()) },
  fc.constantFrom(
    '1,DE',
    '1,"DE,card,5',
    'x,DE,card,5',
    '1,"D"E,card,5',
    '1,"DE",card,5,6',
    '',
    '5,"FR",NA,"8"',
    FIELDS.join(),
  ),
);

test('where one model stands behind all segments, answers and refusals are those of the model, whatever comes', async () => {
  const same = SEGMENTS.map((segment) => ({ ...segment, by: to('same') }));
  const two = divided(same, { files: { same: MODELS.fraud } });
  const shorn = (text: string) =>
    text.replaceAll(/,"segment":"\w+","model":"same","version":"same-1","route":"champion"/g, '');
  const both = async (body: () => BodyInit, type: string, path = '/models/NAME/score') => {
    const answers = ['same', 'fraud'].map(async (name) => {
      const headers = { 'content-type': type, 'x-request-id': 'one' };
      const response = await two.post(path.replace('NAME', name), body(), headers);
      return [
        response.status,
        shorn(await response.text()).replace(/,"model":"fraud","version":"segments","sha256":""/, ''),
      ];
    });
    return Promise.all(answers);
  };
  const withoutHead = (text: unknown) =>
    String(text).replace(/^\{"model":"\w+","version":"[\w-]+","sha256":"\w*",/, '{');
  await fc.assert(
    fc.asyncProperty(
      fc.array(strangeRow, { maxLength: 12 }),
      fc.array(strangeLine, { maxLength: 12 }),
      fc.array(fc.nat(600), { maxLength: 4 }),
      async (rows, cells, cuts) => {
        const lines = rows.join('\n');
        const [a, b] = await both(() => chunked(lines, cuts), 'application/x-ndjson');
        expect(b).toEqual(a);
        for (const body of [`[${rows.join()}]`, rows[0] ?? '', lines, `{"records":[${rows.join()}]}`]) {
          const [one, other] = await both(() => body, 'application/json');
          expect([other[0], withoutHead(other[1])]).toEqual([one[0], withoutHead(one[1])]);
        }
        const csv = `${FIELDS.join()}\n${cells.join('\n')}`;
        const [c, d] = await both(() => chunked(csv, cuts), 'text/csv');
        const cut = String(d[1])
          .replaceAll(/,(rest|de|large),same,same-1,champion,/g, ',')
          .replaceAll(/,,,,,("|$)/gm, ',$1');
        expect(cut.replace(',segment,model,version,route,', ',')).toEqual(c[1]);
        expect(d[0]).toBe(c[0]);
      },
    ),
    { numRuns: sweep(150, 2000), seed: 11 },
  );
}, 120_000);

test('an answer says which segment, model, version and arm it is of; one of several says so by row', async () => {
  const one = await post('/models/fraud/score', '{"amount":1,"country":"DE","kind":"card"}');
  const said: Row = {};
  one.headers.forEach((value, name) => {
    if (name.startsWith('x-model')) said[name] = value;
  });
  expect(said).toEqual({
    'x-model-name': 'fraud-de',
    'x-model-version': 'fraud-de-1',
    'x-model-sha256': model['fraud-de'].sha256,
    'x-model-segment': 'de',
    'x-model-route': 'champion',
  });
  expect(await one.json()).toMatchObject({
    model: 'fraud-de',
    scores: [{ segment: 'de', version: 'fraud-de-1', route: 'champion' }],
  });
  const rows = '[{"amount":1,"country":"DE","kind":"card"},{"amount":900,"country":"FR","age":30}]';
  const several = await post('/models/fraud/score', rows);
  expect(several.headers.get('x-model-segment')).toBe('de, large');
  expect(several.headers.get('x-model-route')).toBe('segments');
  expect(await several.json()).toMatchObject({ model: 'fraud', version: 'segments', sha256: '' });
  // a version is asked as ever
  const named = await post('/models/fraud/score?version=fraud-1', '{"amount":1,"country":"DE","kind":"card"}');
  expect([named.headers.get('x-model-name'), named.headers.get('x-model-segment')]).toEqual(['fraud', null]);
});

test('details of a record are those of its model', async () => {
  const body =
    '{"records":[{"amount":1,"country":"DE","kind":"card"},{"amount":900,"country":"FR","age":30}],"explain":1}';
  const { scores } = await (await post('/models/fraud/score', body)).json();
  expect(scores.map(({ reasons }: { reasons: Row[] }) => reasons.map(({ feature }) => feature).sort())).toEqual([
    ['kind'],
    ['age'],
  ]);
});

test('an arm of a segment is assigned by its salt and key: the header of the request, or the field of each record', async () => {
  const route = routeBy('fraud-de', 'next', 0.5);
  const by = [{ ...SEGMENTS[0], by: route }, ...SEGMENTS.slice(1)];
  const { post: ask, routing } = divided(by);
  const record = { amount: 1, country: 'DE', kind: 'card' };
  const keys = Array.from({ length: 40 }, (_, k) => `customer-${k}`);
  for (const key of keys) {
    const answer = await ask('/models/fraud/score', JSON.stringify([record, { ...record, country: 'FR' }]), {
      'x-logodds-key': key,
    });
    const { scores } = await answer.json();
    const name = armOf(route, key)?.name ?? 'champion';
    expect(scores.map((one: Row) => one['route'])).toEqual([name, 'champion']);
    expect(scores[0].model).toBe(name === 'champion' ? 'fraud-de' : 'next');
  }
  const keyed = { ...route, key: { field: 'customer' } };
  routing.divide({
    name: 'fraud',
    segments: [{ ...by[0], by: { ...keyed, id: '2' } }, ...by.slice(1)],
    fields: { customer: 'category' },
  });
  const rows = [...keys.map((customer) => ({ ...record, customer })), record];
  const expected = [...keys.map((key) => armOf(keyed, key)?.name ?? 'champion'), 'champion'];
  const { scores } = await (await ask('/models/fraud/score', JSON.stringify(rows))).json();
  expect(scores.map((one: Row) => one['route'])).toEqual(expected);
  const csv = `amount,country,kind,age,customer\n${rows.map((row) => `1,DE,card,30,${'customer' in row ? row.customer : ''}`).join('\n')}`;
  const text = await (await ask('/models/fraud/score', csv, { 'content-type': 'text/csv' })).text();
  expect(
    text
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => cellOf(line)[7]),
  ).toEqual(expected);
  // one key was missing in each body
  expect(routing.state('fraud/de')?.unkeyed).toBe(2);
});

test('a header names an arm, which is that of the segments that have it; one that none has is refused', async () => {
  const { post: ask } = divided([{ ...SEGMENTS[0], by: routeBy('fraud-de', 'next', 0) }, ...SEGMENTS.slice(1)]);
  const rows = '[{"amount":1,"country":"DE","kind":"card"},{"amount":1,"country":"FR","kind":"card"}]';
  const { scores } = await (await ask('/models/fraud/score', rows, { 'x-logodds-route': 'challenger' })).json();
  expect(scores.map((one: Row) => one['model'])).toEqual(['next', 'fraud']);
  const unknown = await ask('/models/fraud/score', rows, { 'x-logodds-route': 'blue' });
  expect([unknown.status, (await unknown.json()).error]).toEqual([
    400,
    'x-logodds-route: expected one of champion, challenger, got another; leave the header out to be assigned',
  ]);
});

test('a guard ends the rollout of its segment, and of no other', async () => {
  // the challenger of both refuses what has no age; in one segment all have it
  const strict = modelOf(5, ['age']);
  const guards = { minRequests: 20 };
  const segments = [
    { ...SEGMENTS[0], by: routeBy('fraud-de', 'strict', 0.5, { guards }) },
    { name: 'rest', when: 'otherwise' as const, by: routeBy('fraud', 'strict', 0.5, { guards }) },
  ];
  const { post: ask, routing, ended } = divided(segments, { files: { ...MODELS, strict } });
  for (let i = 0; i < 400; i++) {
    await ask('/models/fraud/score', '{"amount":1,"country":"DE","kind":"card"}', { 'x-logodds-key': `a${i}` });
    await ask('/models/fraud/score', '{"amount":1,"country":"FR","kind":"card","age":30}', {
      'x-logodds-key': `b${i}`,
    });
  }
  expect(ended.map(({ name, guard, challenger }) => [name, guard, challenger.model])).toEqual([
    ['fraud/de', 'refusals', 'strict'],
  ]);
  expect(routing.state('fraud/rest')!.breach).toBeNull();
  expect(routing.state('fraud/rest')!.requests['challenger']).toBeGreaterThan(100);
  const after = await ask('/models/fraud/score', '{"amount":1,"country":"DE","kind":"card"}', {
    'x-logodds-key': 'a1',
  });
  expect(after.headers.get('x-model-name')).toBe('fraud-de');
  const told = routing.segments('fraud')!;
  expect(told.segments.map(({ name, route }) => [name, route!.breach?.guard ?? null])).toEqual([
    ['de', 'refusals'],
    ['rest', null],
  ]);
});

test('a segment follows the route of its model, whichever way it was asked', async () => {
  const { post: ask, routing } = divided();
  routing.set({ ...routeBy('fraud-de', 'next', 1), name: 'fraud-de', guards: {} });
  const rows = '[{"amount":1,"country":"DE","kind":"card"},{"amount":1,"country":"FR","kind":"card"}]';
  const { scores } = await (await ask('/models/fraud/score', rows)).json();
  expect(scores.map((one: Row) => [one['model'], one['route']])).toEqual([
    ['next', 'challenger'],
    ['fraud', 'champion'],
  ]);
  expect(routing.state('fraud-de')!.requests).toEqual({ challenger: 1 });
  routing.clear('fraud-de');
  expect((await (await ask('/models/fraud/score', rows)).json()).scores[0].model).toBe('fraud-de');
});

test('where a model of a segment is gone, its fallback answers, then its default; without them its rows are refused, and no others', async () => {
  const route = (more: object) => ({ ...routeBy('fraud-de', 'next', 0), arms: [], ...more });
  const record = '{"amount":1,"country":"DE","kind":"card"}';
  const answers = async (more: object) => {
    const { post: ask, service } = divided([{ ...SEGMENTS[0], by: route(more) }, ...SEGMENTS.slice(1)]);
    service.models.remove('fraud-de');
    const response = await ask('/models/fraud/score', `[${record},{"amount":1,"country":"FR","kind":"card"}]`);
    const alone = await ask('/models/fraud/score', '{"amount":1,"country":"FR","kind":"card"}');
    expect(alone.status).toBe(200);
    return response;
  };
  const { scores } = await (await answers({ fallback: to('next') })).json();
  expect([scores[0].model, scores[0].route]).toEqual(['next', 'fallback']);
  const last = await (await answers({ answer: { probability: 0.25, classes: ['no', 'yes'] } })).json();
  expect([last.scores[0].probability, last.scores[0].route, last.scores[1].model]).toEqual([0.25, 'default', 'fraud']);
  expect((await answers({})).status).toBe(404);
});

test('values that no segment names are counted, by name unless their field is private, and what is missing apart', async () => {
  const rows = ['DE', 'US', 'US', 'GB', null, ''].map((country) => ({
    amount: 1,
    kind: 'card',
    age: 3,
    ...(country !== null && { country }),
  }));
  const { post: ask, get, routing, service } = divided();
  await ask('/models/fraud/score', JSON.stringify(rows));
  expect(routing.segments('fraud')!.unmatched.find(({ field }) => field === 'country')).toEqual({
    field: 'country',
    missing: 2,
    values: {},
    others: 0,
  });
  const few = SEGMENTS.map((one) => (one.name === 'large' ? { ...one, when: { country: 'FR' } } : one));
  routing.divide({ name: 'fraud', segments: few });
  await ask('/models/fraud/score', JSON.stringify(rows));
  expect((await get('/models/fraud')).segments.unmatched).toEqual([
    { field: 'country', missing: 4, values: { US: 2, GB: 1 }, others: 0 },
  ]);
  const text = await (await service.fetch(new Request('http://localhost/metrics'))).text();
  expect(text).toContain('lr_segment_unmatched_total{model="fraud",field="country",reason="unknown"} 3\n');
  expect(text).toContain('lr_segment_rows_total{model="fraud",segment="de",route="champion"} 2\n');
  expect(text.match(/# TYPE lr_segment_rows_total counter/g)).toHaveLength(1);
  // as many as somebody makes up
  await ask(
    '/models/fraud/score',
    JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ amount: 1, kind: 'card', country: `c${i}` }))),
  );
  const { values, others } = routing.segments('fraud')!.unmatched[0];
  expect([Object.keys(values).length, others]).toEqual([20, 482]);
  const schema = {
    features: [
      { name: 'amount', kind: 'numeric' },
      { name: 'kind', kind: 'categorical' },
      { name: 'country', kind: 'categorical', private: true },
    ],
  };
  const secret = divided(few, { files: { ...MODELS, fraud: modelOf(3, [], { schema }) } });
  await secret.post('/models/fraud/score', JSON.stringify(rows));
  expect(secret.routing.segments('fraud')!.unmatched).toEqual([
    { field: 'country', missing: 2, values: {}, others: 3 },
  ]);
});

test('lines of a prediction log have segment, model and arm, and the ids that the rows have in their request', async () => {
  const items: Scored[] = [];
  const { post: ask } = divided(SEGMENTS, {
    predictions: { sink: { take: (item) => void (item.kind === 'scored' && items.push(item)) } },
  });
  const rows = [
    { amount: 900, country: 'FR', age: 3, kind: 'card' },
    { amount: 1, country: 'DE', kind: 'card', age: 4 },
    { amount: 'x', country: 'DE', kind: 'card', age: 4 },
    { amount: 800, country: 'GB', age: 5, kind: 'bank' },
  ];
  const made = async (body: BodyInit, type: string) => {
    items.length = 0;
    await (await ask('/models/fraud/score', body, { 'content-type': type, 'x-request-id': 'r' })).text();
    const lines = new PredictionLines();
    return items.flatMap((item) => lines.of(item)).sort((a, b) => a.id.localeCompare(b.id));
  };
  const told = ({ id, model: name, segment, route, inputs }: PredictionLine) => [
    id,
    name,
    segment,
    route,
    inputs!['amount'],
  ];
  const expected = [
    ['r/0', 'fraud-large', 'large', 'champion', 900],
    ['r/1', 'fraud-de', 'de', 'champion', 1],
    ['r/3', 'fraud-large', 'large', 'champion', 800],
  ];
  expect((await made(JSON.stringify(rows), 'application/json')).map(told)).toEqual(expected);
  expect((await made(rows.map((row) => JSON.stringify(row)).join('\n'), 'application/x-ndjson')).map(told)).toEqual(
    expected,
  );
  expect((await made(csvOf(rows), 'text/csv')).map(told)).toEqual(expected);
  expect((await made(JSON.stringify(rows[1]), 'application/json')).map(told)).toEqual([
    ['r', 'fraud-de', 'de', 'champion', 1],
  ]);
});

test('labels of a name with segments reach the guards of the segment that scored', async () => {
  const guards = { minRequests: 1 };
  const { post: ask, routing } = divided(
    [{ ...SEGMENTS[0], by: routeBy('fraud-de', 'next', 0.5, { guards }) }, ...SEGMENTS.slice(1)],
    { labels: { take: async () => {} } },
  );
  const rows = [
    { amount: 1, country: 'FR', kind: 'card' },
    { amount: 2, country: 'DE', kind: 'card' },
    { amount: 3, country: 'DE', kind: 'bank' },
  ];
  await ask('/models/fraud/score', JSON.stringify(rows), { 'x-request-id': 'r', 'x-logodds-key': 'k' });
  while (routing.isComparing) await new Promise((resolve) => setTimeout(resolve));
  const labels = [0, 1, 2].map((row) => ({ id: `r/${row}`, label: 'yes' }));
  expect((await ask('/models/fraud/labels', JSON.stringify(labels))).status).toBe(200);
  expect(routing.state('fraud/de')!.guards.find(({ guard }) => guard === 'log loss')!.count).toBe(2);
});

test('a name that only segments have is there for all that asks of models', async () => {
  const { post: ask, get, routing, service } = divided();
  routing.join('fraud');
  routing.divide({ name: 'risk', segments: SEGMENTS });
  expect((await get('/v2/models')).models).toContain('risk');
  expect((await get('/v2/models/risk')).inputs.map(({ name }: Row) => name).sort()).toEqual([...FIELDS].sort());
  expect((await get('/models/risk')).segments.segments.map(({ name }: Row) => name)).toEqual(['de', 'large', 'rest']);
  expect((await get('/v1/models/risk')).ready).toBe(true);
  const body = '{"amount":1,"country":"DE","kind":"card"}';
  expect((await ask('/models/risk/score', body)).headers.get('x-model-name')).toBe('fraud-de');
  expect((await ask('/invocations', body)).headers.get('x-model-segment')).toBe('de');
  expect(JSON.stringify(await get('/openapi.json'))).toContain('risk');
  routing.join('risk');
  expect((await ask('/models/risk/score', body)).status).toBe(404);
  expect(service.models.names()).not.toContain('risk');
});

const REFUSED: readonly [what: string, segments: unknown, message: RegExp][] = [
  ['no segment', [], /segments: expected 1 to 100, got 0/],
  ['no otherwise', SEGMENTS.slice(0, 2), /expected one of them "otherwise", got none/],
  [
    'two otherwise',
    [...SEGMENTS, { ...SEGMENTS[2], name: 'more' }],
    /expected one of them "otherwise", got rest and more/,
  ],
  ['one name twice', [...SEGMENTS, { ...SEGMENTS[0] }], /a name of its own for each.*got de/],
  [
    'overlapping bands',
    bands({ '>=': 0, '<': 10 }, { '>=': 9 }),
    /no record in two of them, got a and b, which may both have one/,
  ],
  ['bands that share an end', bands({ '<=': 10 }, { '>=': 10 }), /got a and b/],
  ['a value in a band', bands([5, 12], { '>': 10 }), /got a and b/],
  [
    'rules of other fields',
    [{ ...SEGMENTS[0], name: 'a' }, { name: 'b', when: { amount: { '>': 1 } }, by: to('fraud') }, SEGMENTS[2]],
    /got a and b/,
  ],
  ['two times not', bands({ not: 1 }, { not: 2 }), /got a and b/],
  ['an empty band', bands({ '>': 10, '<': 10 }, 3), /a band with numbers in it/],
  ['a band of text', bands({ '>': '10' }, 3), /expected a number, got 10/],
  ['another member', bands({ '=>': 10 }, 3), /a band of >=, >, <, <=, got =>/],
  ['null', bands(null, 3), /what is missing is in no segment/],
  ['nothing', bands([], 3), /expected values: .*got none/],
  ['no condition', [{ name: 'a', when: {}, by: to('fraud') }, SEGMENTS[2]], /conditions by field, or "otherwise"/],
  [
    'a share above 1',
    [{ ...SEGMENTS[0], by: routeBy('fraud-de', 'next', 1.2) }, SEGMENTS[2]],
    /share of challenger: expected a number from 0 to 1, got 1.2/,
  ],
  [
    'a field that no model has',
    [{ name: 'a', when: { contry: 'DE' }, by: to('fraud') }, SEGMENTS[2]],
    /field "contry": expected a field of its models/,
  ],
  [
    'a band of a category',
    [{ name: 'a', when: { country: { '>': 3 } }, by: to('fraud') }, SEGMENTS[2]],
    /expected numbers, since a band decides, got the type category/,
  ],
];
function bands(a: unknown, b: unknown) {
  return [
    { name: 'a', when: { amount: a }, by: to('fraud') },
    { name: 'b', when: { amount: b }, by: to('fraud') },
    SEGMENTS[2],
  ];
}
test.each(REFUSED)('segments with %s are refused, and those before stay', async (_, segments, message) => {
  const { routing, post: ask } = divided();
  expect(() => routing.divide({ name: 'fraud', segments: segments as typeof SEGMENTS })).toThrow(message);
  expect(
    (await ask('/models/fraud/score', '{"amount":1,"country":"DE","kind":"card"}')).headers.get('x-model-name'),
  ).toBe('fraud-de');
});

test.each([
  ['bands that touch', bands({ '<': 10 }, { '>=': 10 })],
  ['a value beside a band', bands([10, 'none'], { '>': 10 })],
  ['not, and what it leaves', bands({ not: [1, 2] }, [1, 2])],
])('segments are taken that have no record in common: %s', (_, segments) => {
  const { routing } = divided();
  expect(() => routing.divide({ name: 'fraud', segments: segments as typeof SEGMENTS })).not.toThrow();
});

test('models of other classes are refused, and one that comes later is answered by its fallback', async () => {
  const other = modelOf(6, ['amount'], { positive: 'no' });
  const files = { ...MODELS, other };
  expect(() => divided([{ ...SEGMENTS[0], by: to('other') }, SEGMENTS[2]], { files })).toThrow(
    /expected the classes of other in their order/,
  );
  const { service, post: ask, lines } = divided(SEGMENTS, { files: MODELS });
  service.models.put({ name: 'fraud-de', version: '2', model: Uint8Array.from(other) });
  const answer = await ask('/models/fraud/score', '{"amount":1,"country":"DE","kind":"card"}');
  expect([answer.status, (await answer.json()).code]).toEqual([503, 'ERR_SEGMENTS']);
  expect(lines.find(({ event }) => event === 'fell back')).toBeDefined();
});

test('CSV is refused by a host that cannot take it apart, before anything was scored', async () => {
  const { Routing, createService } = await import('../../service/src/index.ts');
  const routing = new Routing();
  const service = createService({ routing, models: [{ name: 'fraud', model: Uint8Array.from(MODELS.fraud) }] });
  routing.divide({ name: 'fraud', segments: [{ name: 'all', when: 'otherwise', by: to('fraud') }] });
  const headers = { 'content-type': 'text/csv' };
  const answer = await service.fetch(
    new Request('http://localhost/models/fraud/score', { method: 'POST', body: 'x', headers }),
  );
  expect(answer.status).toBe(415);
});
