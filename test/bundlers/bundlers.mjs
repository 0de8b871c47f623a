// One entry for each way a bundler is used: how it builds `entry.js` of a folder into `dist/`, how it takes a .wasm file
// (`kernels.js`, for logodds/slim), and where what it wrote runs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
const tool = (path) => join(root, 'node_modules', path);

const FETCHED = `export const kernels = async () => new Uint8Array(await (await fetch(url)).arrayBuffer());\n`;
const READ = `import { readFile } from 'node:fs/promises';\n\nexport const kernels = () => readFile(url);\n`;
const URL_OF = (name) => `const url = new URL('${name}', import.meta.url);\n`;

/** A page for bundlers that begin with a script. */
function page(dir) {
  mkdirSync(join(dir, 'dist'), { recursive: true });
  writeFileSync(
    join(dir, 'dist/index.html'),
    '<!doctype html>\n<meta charset="utf-8">\n<script type="module" src="main.js"></script>\n',
  );
}
/** A page for bundlers that begin with one. */
function source(dir) {
  writeFileSync(
    join(dir, 'index.html'),
    '<!doctype html>\n<meta charset="utf-8">\n<script type="module" src="./entry.js"></script>\n',
  );
}

/** webpack, and Rspack, which takes the same configuration. */
async function pack(bundle, dir, target) {
  const options = {
    context: dir,
    entry: './entry.js',
    mode: 'production',
    target: target === 'web' ? 'web' : 'node20',
    devtool: false,
    experiments: { outputModule: true },
    output: {
      path: join(dir, 'dist'),
      filename: 'main.js',
      module: true,
      publicPath: target === 'web' ? 'auto' : undefined,
    },
  };
  await new Promise((resolve, reject) => {
    bundle(options, (error, stats) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString({ all: false, errors: true })));
      else resolve();
    });
  });
  writeFileSync(join(dir, 'dist/package.json'), '{ "type": "module" }\n');
}

async function esbuild(dir, platform) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(dir, 'entry.js')],
    outfile: join(dir, 'dist/main.js'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform,
    // the newest hosts alone have Uint8Array.fromBase64, which esbuild writes without a target
    target: 'es2022',
    loader: { '.wasm': 'binary' },
    logLevel: 'silent',
  });
}

const bunTool = tool('@oven/bun-linux-x64/bin/bun');
function bun(dir, target) {
  const args = ['build', 'entry.js', '--outdir', 'dist', '--minify', '--target', target, '--entry-naming', 'main.js'];
  execFileSync(bunTool, args, { cwd: dir, stdio: 'pipe' });
}

/** name → { package, runs, kernels, build(dir), available } */
export const BUNDLERS = {
  vite: {
    package: 'vite',
    runs: 'browser',
    kernels: `import url from 'logodds/wasm?url';\n\n${FETCHED}`,
    async build(dir) {
      source(dir);
      const { build } = await import('vite');
      await build({
        root: dir,
        base: './',
        configFile: false,
        logLevel: 'error',
        build: { outDir: 'dist', modulePreload: false },
      });
    },
  },
  webpack: {
    package: 'webpack',
    runs: 'browser',
    kernels: URL_OF('logodds/wasm') + FETCHED,
    async build(dir) {
      page(dir);
      await pack((await import('webpack')).default, dir, 'web');
    },
  },
  'webpack-node': {
    package: 'webpack',
    runs: 'node',
    kernels: URL_OF('logodds/wasm') + READ,
    async build(dir) {
      await pack((await import('webpack')).default, dir, 'node');
    },
  },
  rspack: {
    package: '@rspack/core',
    runs: 'browser',
    kernels: URL_OF('logodds/wasm') + FETCHED,
    async build(dir) {
      page(dir);
      await pack((await import('@rspack/core')).rspack, dir, 'web');
    },
  },
  esbuild: {
    package: 'esbuild',
    runs: 'browser',
    kernels: `import bytes from 'logodds/wasm';\n\nexport const kernels = () => bytes;\n`,
    async build(dir) {
      page(dir);
      await esbuild(dir, 'browser');
    },
  },
  'esbuild-neutral': {
    package: 'esbuild',
    runs: 'node',
    kernels: `import bytes from 'logodds/wasm';\n\nexport const kernels = () => bytes;\n`,
    build: (dir) => esbuild(dir, 'neutral'),
  },
  rollup: {
    package: 'rollup',
    runs: 'node',
    kernels: `import compile from 'logodds/wasm';\n\nexport const kernels = () => compile();\n`,
    async build(dir) {
      const [{ rollup }, { nodeResolve }, { wasm }] = await Promise.all([
        import('rollup'),
        import('@rollup/plugin-node-resolve'),
        import('@rollup/plugin-wasm'),
      ]);
      const bundle = await rollup({
        input: join(dir, 'entry.js'),
        plugins: [nodeResolve(), wasm({ targetEnv: 'auto-inline' })],
      });
      await bundle.write({ file: join(dir, 'dist/main.js'), format: 'es' });
      // rollup leaves minifying to others
      const { build } = await import('esbuild');
      const file = join(dir, 'dist/main.js');
      await build({ entryPoints: [file], outfile: file, allowOverwrite: true, minify: true, logLevel: 'silent' });
    },
  },
  parcel: {
    package: 'parcel',
    runs: 'browser',
    kernels: URL_OF('npm:logodds/wasm') + FETCHED,
    async build(dir) {
      source(dir);
      const args = [
        'build',
        'index.html',
        '--dist-dir',
        'dist',
        '--public-url',
        './',
        '--no-source-maps',
        '--no-cache',
        '--log-level',
        'error',
      ];
      execFileSync(process.execPath, [tool('parcel/lib/bin.js'), ...args], { cwd: dir, stdio: 'pipe' });
    },
  },
  bun: {
    package: '@oven/bun-linux-x64',
    runs: 'browser',
    available: () => existsSync(bunTool),
    kernels: `import path from 'logodds/wasm' with { type: 'file' };\n\nconst url = new URL(path, import.meta.url);\n${FETCHED}`,
    async build(dir) {
      page(dir);
      bun(dir, 'browser');
    },
  },
  wrangler: {
    package: 'wrangler',
    runs: 'worker',
    // wrangler goes by the ending of the specifier
    kernels: `import module from 'logodds/kernels.wasm';\n\nexport const kernels = () => module;\n`,
    async build(dir) {
      writeFileSync(
        join(dir, 'wrangler.json'),
        // without keep_names: a tenth of a Worker this small is calls that give functions their names back
        `${JSON.stringify({ name: 'logodds-app', main: 'worker.js', compatibility_date: '2024-09-23', keep_names: false }, null, 2)}\n`,
      );
      const args = ['deploy', '--dry-run', '--outdir', 'dist', '--minify'];
      execFileSync(process.execPath, [tool('wrangler/bin/wrangler.js'), ...args], {
        cwd: dir,
        stdio: 'pipe',
        env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: join(dir, 'logs') },
      });
    },
  },
};
