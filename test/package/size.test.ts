import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const bundle = async (contents: string) => {
  const result = await build({
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

test('the kernel module is at most 12 kB, the one with training at most 28 kB', () => {
  expect(readFileSync('dist/kernels.wasm').length).toBeLessThanOrEqual(12_000);
  expect(readFileSync('dist/training.wasm').length).toBeLessThanOrEqual(28_000);
});

test('the scoring entry with engine, encoder, model loader and WASM is at most 14 kB gzipped', async () => {
  const { bytes } = await bundle(`export * from 'logodds/score';`);
  expect(bytes).toBeLessThanOrEqual(14_000);
});

test('a scorer taken from the full library ships no training', async () => {
  const { text } = await bundle(
    `import { loadModel } from 'logodds'; export const score = (bytes, record) => loadModel(bytes).score(record);`,
  );
  expect(text).toContain('safetensors');
  expect(text).not.toContain('line_search');
  expect(text).not.toContain('INFERENCE_PENALIZED');
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
