// Runs the code and commands of guides and compares what they print with what the guide shows.
//   node scripts/guide.mjs [--write] [FILE ...]     --write: puts what was printed into the guide, and draws its pictures anew
// Without files: every chapter of docs/guide. test/package/guide.test.ts does the same comparison.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Commands that install, or that go on until they are stopped: they are shown, and not run here. */
const INSTALLS =
  /^(npm (install|start|test|run)|git clone|node cli\/bin\/logodds\.js --help|npx @logodds\/cli --help|npx logodds serve|curl)\b/;

/**
 * The code and commands of a guide, in order.
 *
 *   ```js    a module; lines of comments after a line with console.log are what it prints
 *   ```sh    commands; a following ```text block is what they print
 *   ```console    commands after "$ ", and what each prints
 *   ```json NAME    a file that the reader writes
 *
 * Other blocks are not run.
 * @returns {{ kind: 'js' | 'sh' | 'console' | 'file', line: number, source: string[], shown: string[] | null, at: number, length: number }[]}
 *   `line` of the first line of code, from 1; `at` and `length`: the lines of the ```text block
 */
export function stepsOf(markdown) {
  const lines = markdown.split('\n');
  const steps = [];
  for (let i = 0; i < lines.length; i++) {
    const [, kind, name] = /^```(\w+)(?: (\S+))?$/.exec(lines[i]) ?? [];
    if (!kind) continue;
    const end = lines.indexOf('```', i + 1);
    const source = lines.slice(i + 1, end);
    if (kind === 'js' || kind === 'sh' || kind === 'console' || name)
      steps.push({
        kind: name ? 'file' : kind,
        name,
        line: i + 2,
        source,
        shown: null,
        at: i + 1,
        length: source.length,
      });
    else if (kind === 'text' && steps.at(-1)?.kind === 'sh' && steps.at(-1).next === i)
      Object.assign(steps.at(-1), { shown: source, at: i + 1, length: source.length });
    i = end;
    if (kind === 'sh') steps.at(-1).next = lines[i + 1] === '' ? i + 2 : i + 1;
  }
  return steps;
}

/** The parts of a step that print, each with what it is said to print: lines with console.log and their comments, or commands. */
export function partsOf({ kind, source, shown }) {
  if (kind === 'file') return [];
  if (kind === 'sh') return [{ code: source, shown: shown ?? ['…'] }];
  if (kind === 'console') {
    const starts = source.flatMap((line, i) => (line.startsWith('$ ') ? [i] : []));
    return starts.map((at, k) => ({ code: [source[at]], shown: source.slice(at + 1, starts[k + 1]) }));
  }
  const parts = [{ code: [], shown: [] }];
  for (let i = 0; i < source.length; i++) {
    parts.at(-1).code.push(source[i]);
    if (!source[i].includes('console.log(')) continue;
    // the statement ends where its brackets do
    while (i + 1 < source.length && !/;(\s*\/\/.*)?$/.test(source[i])) parts.at(-1).code.push(source[++i]);
    while (/^ *\/\/( |$)/.test(source[i + 1] ?? '')) parts.at(-1).shown.push(source[++i].replace(/^ *\/\/ ?/, ''));
    parts.push({ code: [], shown: [] });
  }
  return parts;
}

/**
 * Whether lines are as they are shown. A line "…" stands for any number of lines, "…" in a line for any text, and a number shown with
 * fewer digits for one that rounds to it.
 * @returns null, or the first line that is not
 */
export function difference(shown, printed) {
  const lines = shown.map((text) => text.trimEnd());
  const ends = lines.flatMap((line, i) => (line === '…' ? [i] : []));
  // what stands between two "…" is found as one piece
  const pieces = [-1, ...ends].map((end, k) => lines.slice(end + 1, ends[k]));
  let at = 0;
  for (const [k, piece] of pieces.entries()) {
    const fits = (first) =>
      piece.every((line, i) => first + i < printed.length && same(line, printed[first + i].trimEnd()));
    let first = at;
    // the last piece stands at the end
    if (k > 0 && k === pieces.length - 1) first = Math.max(at, printed.length - piece.length);
    else if (k > 0) while (first < printed.length && !fits(first)) first++;
    const wrong = piece.findIndex(
      (line, i) => !same(line, (printed[first + i] ?? '').trimEnd()) || first + i >= printed.length,
    );
    if (wrong >= 0) return `expected: ${piece[wrong]}\n     got: ${printed[first + wrong] ?? '(nothing like it)'}`;
    at = first + piece.length;
  }
  return at === printed.length || lines.at(-1) === '…' ? null : `expected: the end\n     got: ${printed[at]}`;
}

const NUMBER = /-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?/g;

function same(shown, printed) {
  if (shown === printed) return true;
  const parts = shown.split('…');
  let rest = printed;
  for (const [k, part] of parts.entries()) {
    const texts = part.split(NUMBER);
    const numbers = part.match(NUMBER) ?? [];
    const pattern = texts.map(escaped).join('(-?\\d[\\d,]*(?:\\.\\d+)?(?:e[+-]?\\d+)?)');
    const match = new RegExp((k === 0 ? '^' : '') + pattern + (k === parts.length - 1 ? '$' : '')).exec(rest);
    if (!match || numbers.some((number, j) => !rounds(match[j + 1], number))) return false;
    rest = rest.slice(match.index + match[0].length);
  }
  return true;
}
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Whether a printed number rounds to the one that is shown. */
function rounds(printed, shown) {
  if (printed === shown) return true;
  const [digits, exponent] = shown.split('e');
  const decimals = digits.split('.')[1]?.length;
  if (decimals === undefined) return false;
  const value = Number(printed);
  return (exponent === undefined ? value.toFixed(decimals) : value.toExponential(decimals)) === shown;
}

/** The words of a command line. Quotes are those of a shell, and a line that ends in \ goes on. */
const words = (line) =>
  [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));

/** The folder of a reader: the packages are installed in it, and the data that the guide links to are there. */
export function prepare(folder, markdown) {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@logodds'), { recursive: true });
  for (const [name, path] of [
    ['logodds', ROOT],
    ['vega-datasets', join(ROOT, 'node_modules/vega-datasets')],
    ['@logodds/registry', join(ROOT, 'registry')],
    ['@logodds/service', join(ROOT, 'service')],
  ])
    if (!existsSync(join(modules, name))) symlinkSync(path, join(modules, name), 'junction');
  for (const [, path] of markdown.matchAll(
    /\((?:\.\.\/\.\.\/|https:[^)]*\/blob\/main\/)([\w./-]+\.(?:csv|safetensors))\)/g,
  ))
    copyFileSync(join(ROOT, path), join(folder, basename(path)));
}

/**
 * Runs a step.
 * @param run  the command: from arguments to { status, stdout, stderr }
 * @returns what it prints; of a module by part
 */
export function runStep(step, folder, run) {
  if (step.kind === 'file') {
    writeFileSync(join(folder, step.name), `${step.source.join('\n')}\n`);
    return [];
  }
  if (step.kind === 'js') {
    const parts = partsOf(step);
    const file = join(folder, `block-${step.line}.mjs`);
    // what is printed is preceded by the number of the part that prints it
    const marked = parts.map(({ code }, k) => code.map((line) => line.replace('console.log(', `part(${k}).log(`)));
    const part = `const part = (k) => (process.stdout.write(\`\\u0001\${k} \`), console);`;
    writeFileSync(file, `${part}\n${marked.flat().join('\n')}\n`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`line ${step.line}: status ${status}: ${stderr}`);
    const printed = parts.map(() => []);
    for (const text of stdout.split('\u0001').slice(1)) {
      const [, k, rest] = /^(\d+) ([\s\S]*)\n$/.exec(text);
      printed[k].push(...rest.split('\n'));
    }
    return printed;
  }
  const outputs = partsOf(step).map(({ code, shown }) =>
    code
      .join('\n')
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .flatMap((line) =>
        printedBy(
          line
            .replace(/^\$ /, '')
            .replace(/\s+#.*$/, '')
            .trim(),
          shown,
        ),
      ),
  );
  function printedBy(text, shown) {
    if (text === '' || text.startsWith('#') || INSTALLS.test(text)) return [];
    const [program, ...args] = words(text);
    if (program === 'head')
      return readFileSync(join(folder, args[1]), 'utf8')
        .split('\n')
        .slice(0, Number(args[0].slice(1)));
    if (program !== 'logodds') throw new Error(`line ${step.line}: expected logodds or head, got ${program}`);
    const { status, stdout, stderr } = run(args);
    if (status !== 0 && !shown.some((one) => one.startsWith('ERR_')))
      throw new Error(`line ${step.line}: ${text}: status ${status}: ${stderr}`);
    const out = `${stderr}${stdout}`.replace(/\n$/, '');
    return out === '' ? [] : out.split('\n');
  }
  return outputs;
}

/** Runs a guide in a folder. @returns what differs, a text for each step that does */
export function differences(markdown, folder, run) {
  prepare(folder, markdown);
  return stepsOf(markdown).flatMap((step) => {
    const printed = runStep(step, folder, run);
    const parts = partsOf(step);
    return printed.flatMap((lines, k) => {
      const wrong = difference(parts[k].shown, lines);
      return wrong ? [`line ${step.line}, ${step.kind}: ${wrong}`] : [];
    });
  });
}

/** What is printed now in place of what is shown, with the same lines left out; all of it where other lines are printed. */
function refreshed(shown, printed) {
  if (!shown.includes('…')) return printed;
  const form = (line) =>
    line
      .replaceAll(NUMBER, '#')
      .replaceAll(/[\s\u2581-\u258f]+/g, ' ')
      .trim();
  let at = 0;
  const lines = [];
  for (const line of shown) {
    const found = line === '…' ? at - 1 : printed.findIndex((other, k) => k >= at && same(form(line), form(other)));
    if (line !== '…' && found < 0) return printed;
    lines.push(line === '…' || same(line, printed[found].trimEnd()) ? line : printed[found]);
    at = found + 1;
  }
  return difference(lines, printed) === null ? lines : printed;
}

/** A guide with what its steps print. What is shown already and agrees stays as it is. */
function written(markdown, folder, run) {
  prepare(folder, markdown);
  const lines = markdown.split('\n');
  const changes = stepsOf(markdown).map((step) => {
    const begin = performance.now();
    const printed = runStep(step, folder, run);
    console.error(`  line ${step.line}, ${step.kind}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    if (step.kind === 'file') return step;
    if (step.kind === 'sh') {
      const agrees = step.shown === null || difference(step.shown, printed[0]) === null;
      return { ...step, lines: agrees ? null : refreshed(step.shown, printed[0]) };
    }
    const comment = (code) => (step.kind === 'js' ? `${/^ */.exec(code.at(-1) ?? '')[0]}// ` : '');
    const next = partsOf(step).flatMap(({ code, shown }, k) => {
      const agrees = k >= printed.length || difference(shown, printed[k]) === null;
      return [
        ...code,
        ...(agrees ? shown : refreshed(shown, printed[k])).map((line) => `${comment(code)}${line}`.trimEnd()),
      ];
    });
    return { ...step, lines: next };
  });
  for (const { at, length, lines: next } of changes.reverse()) if (next) lines.splice(at, length, ...next);
  return lines.join('\n');
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const given = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const write = process.argv.includes('--write');
  const guide = join(ROOT, 'docs/guide');
  const chapters = readdirSync(guide)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => join(guide, name));
  execFileSync(process.execPath, [join(ROOT, 'scripts/prepare.mjs')], { stdio: ['ignore', 2, 2] });
  const folder = mkdtempSync(join(tmpdir(), 'logodds-guide-'));
  const run = (args) =>
    spawnSync(process.execPath, [join(ROOT, 'cli/bin/logodds.js'), ...args], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
  const wanted = given.map((file) => resolve(file));
  // a chapter goes on with the files of those before it
  const last = chapters.findLastIndex((file) => given.length === 0 || wanted.includes(file));
  const others = wanted.filter((file) => !chapters.includes(file));
  try {
    for (const file of [...chapters.slice(0, last + 1), ...others]) {
      console.error(file);
      const markdown = readFileSync(file, 'utf8');
      if (write && (given.length === 0 || wanted.includes(file))) {
        writeFileSync(file, written(markdown, folder, run));
        const { drawFigures } = await import('./guideFigures.mjs');
        await drawFigures(markdown, folder);
      } else {
        const wrong = differences(markdown, folder, run);
        for (const text of wrong) console.error(text);
        if (wrong.length > 0) process.exitCode = 1;
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
