// Mutants of what decides: every comparison, branch and number of some files is changed, one at a time, and the cases of that part must notice.
//   node test/mutants/run.mjs [gate] [stack] [experiment] [--show]
// A mutant that no case notices is printed with its line: it needs a case, or a reason in `SAME` why it changes nothing.
// All mutants of a part are in one program, which switches them on by a number; so they cost what their cases cost.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformSync } from 'esbuild';
import { mutate } from './mutate.mjs';
import { PARTS } from './parts.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ROOMS = ['bindings', 'src', 'cli/src', 'registry/src', 'service/src', 'test/cli'];

/** Writes all sources as JavaScript below a folder, those of the part with their mutants in. @returns the mutants */
function prepare(files, build) {
  rmSync(build, { recursive: true, force: true });
  const mutants = [];
  for (const room of ROOMS)
    for (const name of readdirSync(join(root, room), { recursive: true })) {
      const path = join(room, name).replaceAll('\\', '/');
      if (!path.endsWith('.ts') || path.endsWith('.d.ts') || /node_modules|\/build\/|\.test\.ts$/.test(path)) continue;
      const source = readFileSync(join(root, path), 'utf8');
      const text = files.includes(path) ? mutate(path, source, mutants) : source;
      const { code } = transformSync(text, { loader: 'ts', target: 'node20', sourcefile: path });
      const to = join(build, path.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, code.replace(/(['"])(\.{1,2}\/[^'"\n]*)\.ts\1/g, '$1$2.js$1'));
    }
  writeFileSync(join(build, 'package.json'), readFileSync(join(root, 'package.json')));
  for (const name of ['node_modules', 'build', 'dist'])
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(build, name));
  return mutants;
}

/** Runs the cases on every mutant, in a process of its own: an endless loop must not stop the others. */
export async function part(name) {
  const { cases, files, same = [] } = PARTS[name];
  // not below test/: it has links that lead back, and runners of tests read that folder to its end
  const build = join(root, 'build/mutants', name);
  const mutants = prepare(files, build);
  const runner = fileURLToPath(new URL('cases.mjs', import.meta.url));
  const begin = performance.now();
  const found = new Map();
  for (let from = 0; from < mutants.length; ) {
    const program = pathToFileURL(join(build, cases.replace(/\.ts$/, '.js'))).href;
    const out = execFileSync(process.execPath, [runner, program, String(from), String(mutants.length)], {
      encoding: 'utf8',
      cwd: root,
      stdio: ['ignore', 'pipe', 2],
      maxBuffer: 1 << 26,
    });
    for (const line of out.trim().split('\n')) {
      const { mutant, by } = JSON.parse(line);
      if (mutant < 0 && by !== null) throw new Error(`${name}: the cases fail without a mutant: ${by}`);
      if (mutant >= 0) found.set(mutant, by);
      from = Math.max(from, mutant + 1);
    }
  }
  const reasonOf = ({ path, line, text }) =>
    same.find(([file, code]) => path.endsWith(file) && `${line} ${text}`.includes(code))?.[2] ?? null;
  const survivors = mutants.filter((_, k) => found.get(k) === null);
  const open = survivors.filter((one) => reasonOf(one) === null);
  for (const { path, line, from, to } of open) console.log(`  survives ${path}:${line}  ${from}  →  ${to}`);
  console.log(
    `${name}: ${mutants.length} mutants in ${files.length} files, ${mutants.length - survivors.length} noticed, ${survivors.length - open.length} the same by a reason, ${open.length} not noticed, ${((performance.now() - begin) / 1000).toFixed(0)} s`,
  );
  return open.length === 0;
}

const names = process.argv.slice(2).filter((one) => !one.startsWith('--'));
for (const name of names.length > 0 ? names : Object.keys(PARTS)) if (!(await part(name))) process.exitCode = 1;
