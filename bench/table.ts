import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { best, type Case, type Results } from './harness.ts';

/** The results of a suite as a Markdown table: one line a case, ratios to the right. */
export function markdown({ machine, cases }: Results): string {
  const lines = [
    '| case | logodds (WASM) | its JavaScript engine | plain JavaScript | WASM against plain | of the read rate |',
    '|---|---:|---:|---:|---:|---:|',
    ...cases.map(line),
  ];
  const { cpu, cores, node, platform, commit, changed, date, load } = machine;
  const where = `${cpu}, ${cores} cores, ${platform}, Node ${node}; one thread; commit ${commit}${changed ? ' and changes' : ''}, ${date}`;
  const busy = load > 0.5 ? `; the machine was busy (load ${load.toFixed(1)}): trust the ratios only` : '';
  return `${lines.join('\n')}\n\n${where}${busy}. \`npm run bench\``;
}

function line({ name, rows, bytes, flops, timings }: Case): string {
  const [mine, plain, fallback] = timings;
  const reads = timings.filter((timing) => timing.name.startsWith('read'));
  const gigabytes = (ms: number) => `${(bytes / ms / 1e6).toPrecision(3)} GB/s`;
  const rate =
    name.startsWith('Hessian') && flops
      ? `${(flops / mine.median / 1e6).toPrecision(3)} GFLOP/s`
      : gigabytes(mine.median);
  const share = reads.length ? (best(reads, 'read').median / mine.median).toFixed(2) : '';
  const cells = [
    name,
    `${duration(mine.median)}, ${rows === 1 ? '' : `${count(rows / mine.median / 1e-3)} rows/s, `}${rate}`,
    duration(fallback.median),
    duration(plain.median),
    `${(plain.median / mine.median).toPrecision(3)}×`,
    reads.length ? `${share} of ${gigabytes(best(reads, 'read').median)}` : '',
  ];
  return `| ${cells.join(' | ')} |`;
}

function duration(ms: number): string {
  if (ms >= 1) return `${ms.toPrecision(3)} ms`;
  if (ms >= 1e-3) return `${(ms * 1e3).toPrecision(3)} µs`;
  return `${(ms * 1e6).toPrecision(3)} ns`;
}

function count(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)} G`;
  return value >= 1e6 ? `${(value / 1e6).toPrecision(3)} M` : `${(value / 1e3).toPrecision(3)} k`;
}

const START = '<!-- bench -->';
const END = '<!-- /bench -->';

/** Puts the tables of all results between the markers of the README. */
export function writeReadme(folder: string, readme: string): void {
  if (!existsSync(readme)) throw new Error(`${readme}: not found`);
  const text = readFileSync(readme, 'utf8');
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${readme}: expected the markers ${START} and ${END}, in this order`);
  const tables = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => markdown(JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'))));
  writeFileSync(readme, `${text.slice(0, start + START.length)}\n${tables.join('\n\n')}\n${text.slice(end)}`);
}
