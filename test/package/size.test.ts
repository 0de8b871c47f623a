import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const bundle = async (contents: string, conditions: string[] = []) => {
  const result = await build({
    conditions,
    external: ['*.wasm'],
    stdin: { contents, resolveDir: process.cwd(), loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    write: false,
    metafile: true,
  });
  return { bytes: gzipSync(result.outputFiles[0].contents, { level: 9 }).length, text: result.outputFiles[0].text };
};

test('the kernel module is at most 12 kB, the one with training at most 37 kB', () => {
  expect(readFileSync('dist/kernels.wasm').length).toBeLessThanOrEqual(12_000);
  expect(readFileSync('dist/training.wasm').length).toBeLessThanOrEqual(37_000);
});

test('the scoring entry with engine, encoder, model loader and WASM is at most 15 kB gzipped', async () => {
  const { bytes } = await bundle(`export * from 'logodds/score';`);
  expect(bytes).toBeLessThanOrEqual(15_000);
});

test('a Worker with scorer, encoder, model loader and its module file is at most 15 kB gzipped', async () => {
  const { bytes, text } = await bundle(
    `import { loadModel, pickEngine } from 'logodds/score';
    let scorer;
    export default { async fetch(request, env) {
      const model = loadModel(await env.MODELS.get('model', 'arrayBuffer'));
      scorer ??= model.scorer(pickEngine());
      return Response.json(model.score(await request.json()));
    } };`,
    ['workerd'],
  );
  expect(text).toMatch(/from"[^"]*kernels\.wasm"/);
  const module = gzipSync(readFileSync('dist/kernels.wasm'), { level: 9 }).length;
  expect(bytes + module).toBeLessThanOrEqual(15_000);
});

test('a plain dense scorer is at most 8 kB gzipped, its module included', async () => {
  const { bytes } = await bundle(
    `import { pickEngine } from 'logodds/score';
    export function scorer(parameters) {
      const engine = pickEngine();
      const row = engine.rows(1, parameters.length - 1);
      const weights = engine.weights(row);
      weights.set(0, parameters);
      const out = engine.vector(1);
      return (features) => {
        row.set(features);
        engine.logits(row, weights, out);
        engine.sigmoid(out, out);
        return out.view[0];
      };
    }`,
  );
  expect(bytes).toBeLessThanOrEqual(8_000);
});

test.each([
  ['logodds', 'LogoddsError', 250],
  ['logodds/metrics', 'fbeta', 800],
  ['logodds/decide', 'costThreshold', 900],
  ['logodds/monitor', 'cuped', 2600],
  ['logodds/kernels', 'planeStride', 250],
  ['logodds/score', 'LogoddsError', 250],
  ['logodds/stages', 'slotNames', 1200],
  ['logodds/slim', 'LogoddsError', 250],
  ['logodds/js', 'LogoddsError', 250],
])('%s does nothing at its top level that a bundler cannot drop', async (entry, name, most) => {
  const { text } = await bundle(`import { ${name} } from '${entry}'; export const e = typeof ${name};`);
  expect(text.length).toBeLessThan(most);
});

test('logodds/slim has no module inlined, logodds/js no WebAssembly at all', async () => {
  // the magic number and version of a module, as scripts/build.mjs inlines it
  const inlined = '/|0|B|<0///';
  expect((await bundle(`export * from 'logodds/score';`)).text).toContain(inlined);
  expect((await bundle(`export * from 'logodds/slim';`)).text).not.toContain(inlined);
  expect((await bundle(`export * from 'logodds/js';`)).text).not.toContain('WebAssembly.');
});

test('metrics, decisions and monitoring ship no training and no kernels but the one that counts', async () => {
  for (const [entry, modules] of [
    ['logodds/metrics', 0],
    ['logodds/decide', 0],
    ['logodds/monitor', 1],
  ] as const) {
    const { text } = await bundle(`export * from '${entry}';`);
    expect(text.match(/new WebAssembly\.Module\(/g)?.length ?? 0).toBe(modules);
    expect(text.match(/new WebAssembly\.Instance\(/g)?.length ?? 0).toBe(modules);
    expect(text).not.toContain('line_search');
    expect(text).not.toContain('INFERENCE_PENALIZED');
  }
});

test('a scorer taken from the full library ships no training', async () => {
  const { text } = await bundle(
    `import { loadModel } from 'logodds'; export const score = (bytes, record) => loadModel(bytes).score(record);`,
  );
  expect(text).toContain('safetensors');
  expect(text).not.toContain('line_search');
  expect(text).not.toContain('INFERENCE_PENALIZED');
});

test('a scorer ships the stages it hands to loadModel, and what explains its scores, where it does', async () => {
  const marks = {
    encoders: 'yeo-johnson',
    outcomes: 'isotonic',
    interval: 'covariance of its estimates',
  };
  const names = Object.keys(marks) as (keyof typeof marks)[];
  const shipped = async (used: readonly string[]) => {
    const { text } = await bundle(
      `import { loadModel } from 'logodds/score'; import * as stages from 'logodds/stages';
      export const score = (bytes, record) => loadModel(bytes, {}).score(record);
      export const used = [${used.map((name) => `stages.${name}`)}];`,
    );
    expect(text).toContain('safetensors');
    return names.filter((name) => text.includes(marks[name]));
  };
  expect(await shipped([])).toEqual([]);
  expect(await shipped(['outcomes'])).toEqual(['outcomes']);
  expect(await shipped(names)).toEqual(names);
});

test.each([
  ['ScoringClient', 4100],
  ['InferenceClient', 5700],
  ['ScoringClient, InferenceClient, ServiceError', 7000],
])('of the client %s is at most %i bytes gzipped, as its README says', async (names, most) => {
  const { bytes, text } = await bundle(`export { ${names} } from '@logodds/client';`);
  expect(bytes).toBeLessThanOrEqual(most);
  expect(text).not.toMatch(/from"/);
  const said = /`ScoringClient` is ([\d.]+) kB, `InferenceClient` ([\d.]+) kB, both together ([\d.]+) kB/.exec(
    readFileSync('client/README.md', 'utf8'),
  )!;
  const at = ['ScoringClient', 'InferenceClient'].indexOf(names);
  expect(said[at < 0 ? 3 : at + 1]).toBe((bytes / 1000).toFixed(1));
});

test('the library has no runtime dependency, and every file it exports exists', () => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(manifest.dependencies ?? {}).toEqual({});
  for (const entry of Object.values(manifest.exports).flatMap((e) =>
    typeof e === 'string' ? [e] : Object.values(e as object),
  )) {
    expect(readFileSync(entry as string).length, entry as string).toBeGreaterThan(0);
  }
});
