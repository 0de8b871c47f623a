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
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Commands that install: they are shown, and not run. */
const INSTALLS =
  /^(npm (install|start|test|run)|git clone|node cli\/bin\/logodds\.js --help|npx @logodds\/cli --help)\b/;

/**
 * The code and commands of a guide, in order.
 *
 *   ```js    a module; lines of comments after a line with console.log are what it prints
 *   ```sh    commands; a following ```text block is what they print
 *   ```console    commands after "$ ", and what each prints
 *
 * Other blocks are not run.
 * @returns {{ kind: 'js' | 'sh' | 'console', line: number, source: string[], shown: string[] | null, at: number, length: number }[]}
 *   `line` of the first line of code, from 1; `at` and `length`: the lines of the ```text block
 */
export function stepsOf(markdown) {
  const lines = markdown.split('\n');
  const steps = [];
  for (let i = 0; i < lines.length; i++) {
    const [, kind] = /^```(\w+)$/.exec(lines[i]) ?? [];
    if (!kind) continue;
    const end = lines.indexOf('```', i + 1);
    const source = lines.slice(i + 1, end);
    if (kind === 'js' || kind === 'sh' || kind === 'console')
      steps.push({ kind, line: i + 2, source, shown: null, at: i + 1, length: source.length });
    else if (kind === 'text' && steps.at(-1)?.kind === 'sh' && steps.at(-1).next === i)
      Object.assign(steps.at(-1), { shown: source, at: i + 1, length: source.length });
    i = end;
    if (kind === 'sh') steps.at(-1).next = lines[i + 1] === '' ? i + 2 : i + 1;
  }
  return steps;
}

/** The parts of a step that print, each with what it is said to print: lines with console.log and their comments, or commands. */
export function partsOf({ kind, source, shown }) {
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
    while (/^\/\/( |$)/.test(source[i + 1] ?? '')) parts.at(-1).shown.push(source[++i].slice(3));
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
  let at = 0;
  let free = false;
  for (const line of shown.map((text) => text.trimEnd())) {
    if (line === '…') {
      free = true;
      continue;
    }
    const found = printed.findIndex((other, k) => k >= at && same(line, other.trimEnd()));
    if (found < 0 || (!free && found !== at)) return `expected: ${line}\n     got: ${printed[at] ?? '(the end)'}`;
    at = found + 1;
    free = false;
  }
  return free || at === printed.length ? null : `expected: the end\n     got: ${printed[at]}`;
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
const words = (line) => [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/['"]/g, ''));

/** The folder of a reader: the packages are installed in it, and the data that the guide links to are there. */
export function prepare(folder, markdown) {
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const [name, path] of [
    ['logodds', ROOT],
    ['vega-datasets', join(ROOT, 'node_modules/vega-datasets')],
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
  if (step.kind === 'js') {
    const parts = partsOf(step);
    const mark = '\u0001';
    const file = join(folder, `block-${step.line}.mjs`);
    // a mark is printed before each part that prints
    const marked = parts.map(({ code }) => {
      const first = code.findIndex((line) => line.includes('console.log('));
      return first < 0 ? code : code.toSpliced(first, 0, `process.stdout.write('${mark}');`);
    });
    writeFileSync(file, `${marked.flat().join('\n')}\n`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`line ${step.line}: status ${status}: ${stderr}`);
    const printed = stdout.split(mark).slice(1);
    return printed.map((text) => (text === '' ? [] : text.replace(/\n$/, '').split('\n')));
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

/** A guide with what its steps print. What is shown already and agrees stays as it is. */
function written(markdown, folder, run) {
  prepare(folder, markdown);
  const lines = markdown.split('\n');
  const changes = stepsOf(markdown).map((step) => {
    console.error(`  line ${step.line}, ${step.kind}`);
    const printed = runStep(step, folder, run);
    if (step.kind === 'sh') {
      const agrees = step.shown === null || difference(step.shown, printed[0]) === null;
      return { ...step, lines: agrees ? null : printed[0] };
    }
    const comment = step.kind === 'js' ? '// ' : '';
    const next = partsOf(step).flatMap(({ code, shown }, k) => {
      const agrees = k >= printed.length || difference(shown, printed[k]) === null;
      return [...code, ...(agrees ? shown : printed[k]).map((line) => `${comment}${line}`.trimEnd())];
    });
    return { ...step, lines: next };
  });
  for (const { at, length, lines: next } of changes.reverse()) if (next) lines.splice(at, length, ...next);
  return lines.join('\n');
}

const COMMAND = join(ROOT, 'cli/bin/logodds.js');
/** The command, in a process of its own. */
const commandIn = (folder) => (args) =>
  spawnSync(process.execPath, [COMMAND, ...args], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 });

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const given = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const guide = join(ROOT, 'docs/guide');
  const files =
    given.length > 0
      ? given
      : readdirSync(guide)
          .filter((name) => name.endsWith('.md'))
          .sort()
          .map((name) => join(guide, name));
  execFileSync(process.execPath, [join(ROOT, 'scripts/prepare.mjs')], { stdio: ['ignore', 2, 2] });
  for (const file of files) {
    console.error(file);
    const folder = mkdtempSync(join(tmpdir(), 'logodds-guide-'));
    try {
      const markdown = readFileSync(file, 'utf8');
      if (process.argv.includes('--write')) {
        writeFileSync(file, written(markdown, folder, commandIn(folder)));
        const { draw } = await import('./guideFigures.mjs');
        await draw(basename(file, '.md'), folder);
      } else {
        const wrong = differences(markdown, folder, commandIn(folder));
        for (const text of wrong) console.error(text);
        if (wrong.length > 0) process.exitCode = 1;
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
