import { expect, test } from 'vitest';
import { pickEngine, fit, loadModel, saveModel, tableFromRecords } from '/work/main/src/index.ts';
const outcome = (f: () => unknown) => { const t = performance.now(); let r: string; try { r = 'ok ' + (JSON.stringify(f()) ?? 'undef').slice(0, 160); } catch (e) { r = (e as Error).name + ' ' + (e as any).code + ' ' + (e as Error).message.slice(0, 300); } return r + ` [${Math.round(performance.now() - t)} ms]`; };
test('a', () => {
  const recs = Array.from({ length: 60 }, (_, i) => ({ y: i % 3 === 0 ? 1 : 0, x: i % 7, t: i % 2 ? ['a', 'b '] : ['c', ''], n: i % 2 ? 'hello you' : 'some words', d: new Date(1.7e12 + i * 1e9), c: 'l' + (i % 4) }));
  const one = (features: any, extra: any = {}) => fit(tableFromRecords(recs), { target: 'y', schema: { features }, ...extra }).model;
  const scoreT = (m: any, r: any) => { const s = m.scorer(pickEngine()); const l = s.score(tableFromRecords([r])).logits[0]; s.free(); return l; };
  const log = (...a: any[]) => console.log(...a);
  let m = one([{ name: 't', kind: 'tags' }, { name: 'n', kind: 'text', buckets: 8 }, { name: 'x', kind: 'numeric' }]);
  for (const t of [['a ', 'b'], ['', 'a'], 'a,b', '["a",null]', ['a', null]]) log('tags', t, outcome(() => scoreT(m, { ...recs[0], t })), outcome(() => m.score({ ...recs[0], t } as any).logit));
  for (const n of [['Hello', 'x\nyou']]) log('text', n, outcome(() => scoreT(m, { ...recs[0], n })), outcome(() => m.score({ ...recs[0], n } as any).logit));
  const dd = one([{ name: 'd', kind: 'categorical' }, { name: 'x', kind: 'numeric' }]);
  log('date as category', outcome(() => dd.score(recs[0] as any)), outcome(() => scoreT(dd, recs[0])));
  const dh = one([{ name: 't', kind: 'categorical', encoding: 'hash', buckets: 8 }]);
  log('list as category', outcome(() => dh.score(recs[0] as any).logit), outcome(() => scoreT(dh, recs[0])));
  // NaN in tables
  const b = one([{ name: 'x', kind: 'numeric', bins: 3 }, { name: 'x2', column: 'x', kind: 'numeric', low: 1, high: 5 }, { name: 'x3', column: 'x', kind: 'numeric', spline: 3 }]);
  for (const v of [NaN, Infinity, -Infinity]) log('nonfinite', v, outcome(() => { const s = b.scorer(pickEngine()); return s.score({ rows: 1, columns: [{ name: 'x', kind: 'numeric', values: Float64Array.of(v) }] }).logits[0]; }), outcome(() => b.score({ x: v })));
  const d1 = one([{ name: 'd', kind: 'date', parts: ['month', 'epochDays'] }]);
  for (const v of [NaN, Infinity, 1e300]) log('nonfinite date', v, outcome(() => { const s = d1.scorer(pickEngine()); return s.score({ rows: 1, columns: [{ name: 'd', kind: 'numeric', values: Float64Array.of(v) }] }).logits[0]; }), outcome(() => d1.score({ d: v })));
  log('f32', outcome(() => { const s = b.scorer(pickEngine(), { precision: 'f32' }); return s.score({ rows: 1, columns: [{ name: 'x', kind: 'numeric', values: Float64Array.of(1e300) }] }).logits[0]; }));
  const lin = one([{ name: 'x3', column: 'x', kind: 'numeric', spline: 3 }]);
  log('f64 spline 1e308', outcome(() => lin.score({ x: 1.7e308 })), outcome(() => scoreT(lin, { x: 1.7e308 })));
  log('f32 spline', outcome(() => { const s = lin.scorer(pickEngine(), { precision: 'f32' }); return s.score({ rows: 1, columns: [{ name: 'x', kind: 'numeric', values: Float64Array.of(1e300) }] }).logits[0]; }));
  // records that are none
  for (const r of [null, undefined, 3, 'x', [], new Map(), Symbol('x'), () => 1, Object.create(null), { get x() { throw new Error('boo'); } }]) log('record', typeof r, outcome(() => b.score(r as any)));
  log('bigint', outcome(() => b.score({ x: 10n ** 400n })));
  log('fake date', outcome(() => d1.score({ d: Object.create(Date.prototype) })), outcome(() => scoreT(d1, { d: Object.create(Date.prototype) })));
  // offset named
  log('offset', outcome(() => { const mm = one([{ name: 'off', column: 'c', kind: 'categorical' }], {}); return 1; }));
  const recs2 = recs.map((r) => ({ ...r, off: 0.1 }));
  log('offset name', outcome(() => { const mm = fit(tableFromRecords(recs2), { target: 'y', offset: 'off', schema: { features: [{ name: 'off', column: 'x', kind: 'numeric', bins: 2 }] } }).model; loadModel(saveModel(mm)); return 1; }));
  // deep crosses
  const deep: any[] = [{ name: 'c', kind: 'categorical' }, { name: 'x', kind: 'numeric', bins: 2 }];
  let prev = 'c';
  for (let i = 0; i < 20000; i++) { deep.push({ name: 'k' + i, kind: 'cross', of: [prev, 'x'] }); prev = 'k' + i; }
  log('deep crosses', outcome(() => { one(deep.slice(0, 6000).concat([{ name: 'z', kind: 'nope' }])); }), outcome(() => { one(deep.concat([{ name: 'z', kind: 'cross', of: ['c', 'nowhere'] }])); }));
  const wide: any[] = [{ name: 'c', kind: 'categorical' }, { name: 'x', kind: 'numeric', bins: 2 }, { name: 'p0', kind: 'cross', of: ['c', 'x'] }, { name: 'q0', kind: 'cross', of: ['c', 'x'] }];
  for (let i = 1; i < 21; i++) wide.push({ name: 'p' + i, kind: 'cross', of: ['p' + (i - 1), 'q' + (i - 1)], buckets: 2 }, { name: 'q' + i, kind: 'cross', of: ['p' + (i - 1), 'q' + (i - 1)], buckets: 2 });
  log('wide crosses', outcome(() => { one(wide); }));
  log('mode of many', outcome(() => { const many = Array.from({ length: 150000 }, (_, i) => i); const mm = fit({ rows: 150000, columns: [{ name: 'y', kind: 'numeric', values: Float64Array.from(many, (i) => i % 2) }, { name: 'h', kind: 'numeric', values: Float64Array.from(many) }] }, { target: 'y', maxIter: 1, schema: { features: [{ name: 'h', kind: 'categorical', encoding: 'hash', buckets: 100000, missing: 'mode' }] } }).model; return mm.score({ h: null }).logit; }));
});
