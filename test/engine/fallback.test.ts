import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { results } from './fallback.script.ts';

type Results = ReturnType<typeof results>;

/** Both kinds of host, each a process of its own: V8 compiles SIMD modules, and V8 refuses them. */
let withSimd: Results;
let withoutSimd: Results;

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { results } from './fallback.script.ts'; console.log(JSON.stringify(results()));`,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const run = (...flags: string[]): Results => {
    const output = execFileSync(process.execPath, [...flags, '--input-type=module', '-'], {
      input: outputFiles[0].text,
      env: { ...process.env, NODE_OPTIONS: '' },
      maxBuffer: 2 ** 26,
    });
    return JSON.parse(output.toString());
  };
  withSimd = run();
  withoutSimd = run('--no-enable-sse4-1', '--no-enable-ssse3');
});

describe('a host without WebAssembly SIMD', () => {
  test('really takes the JavaScript engine and says why', () => {
    expect(withoutSimd.simd).toBe(false);
    expect(withoutSimd.names).toEqual(['js', 'js']);
    for (const reason of withoutSimd.reasons) {
      expect(reason).toMatch(/^WebAssembly SIMD is not available here \(WebAssembly\.Module\(\): .*SIMD.*\)$/);
    }
  });

  test('refuses "wasm" by name and says what to do', () => {
    expect(withoutSimd.refused).toMatch(
      /^ERR_ENGINE engine: expected a host with WebAssembly SIMD; WebAssembly SIMD is not available here \(.*\); use engine "auto"$/,
    );
  });

  test('a host with it takes WebAssembly', () => {
    expect(withSimd.simd).toBe(true);
    expect(withSimd.names).toEqual(['wasm', 'wasm']);
    expect(withSimd.reasons).toEqual(['WebAssembly SIMD is available', 'WebAssembly SIMD is available']);
    expect(withSimd.refused).toBe('nothing');
  });

  test('gives the bits that WebAssembly gives: logits, probabilities, loss, gradient, Hessian, both layouts and widths', () => {
    expect(Object.keys(withSimd.out)).toEqual(['rows f32', 'columns f32', 'rows f64', 'columns f64']);
    for (const values of Object.values(withSimd.out)) expect(values.length).toBe(2 * 1037 + 1 + 14 + 196);
    expect(withoutSimd.out).toEqual(withSimd.out);
    // and this process, whichever it is
    expect(results().out).toEqual(withSimd.out);
  });
});
