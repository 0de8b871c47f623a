import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Finding, findings } from './floors.ts';
import { type Case, figure, type Results } from './timings.ts';

/** All results of suites in a folder; accuracy.json is of another kind. */
export function load(folder: string): Record<string, Results> {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  const all = names.sort().map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as Results);
  return Object.fromEntries(all.filter(({ cases }) => cases).map((results) => [results.suite, results]));
}

/** What the benchmark must show, as a Markdown table; the ratio is followed by its range over the rounds. */
export function markdown(all: Readonly<Record<string, Results>>): string {
  const cases: Record<string, readonly Case[]> = {};
  for (const [suite, { cases: list }] of Object.entries(all)) cases[suite] = list;
  const lines = [
    '| work, one thread unless it says more | logodds | floor | ratio |',
    '|---|---:|---:|---:|',
    ...findings(cases).map(line),
  ];
  return `${lines.join('\n')}\n\n${where(Object.values(all))}`;
}

function line(finding: Finding): string {
  const { work, floor, wrong, median, bytes, unit: of, ratio, stopped } = finding;
  const unit = floor < 1 && work.includes('read rate') ? '' : '×';
  const rate = median && bytes ? `, ${(bytes / median / 1e6).toPrecision(3)} GB/s` : '';
  const taken = median ? `${figure(median, of)}${rate}` : '';
  const figures = stopped ? `more than ${ratio}` : ratio?.toPrecision(3);
  const cell = wrong ? `wrong: ${wrong}` : ratio === undefined ? 'not measured' : `**${figures}${unit}**`;
  return `| ${work} | ${taken} | ${floor}${unit} | ${cell}${ratio !== undefined && ratio < floor ? ' (short)' : ''} |`;
}

/** machine, versions and how busy it was, in a sentence or two */
function where(all: readonly Results[]): string {
  if (!all.length) return 'No results.';
  const { machine } = all[0];
  const { cpu, cores, node, platform, date } = machine;
  const rivals = Object.assign({}, ...all.map((results) => results.rivals)) as Record<string, string>;
  const commits = [...new Set(all.map(({ machine: m }) => `${m.commit}${m.changed ? ' and changes' : ''}`))].join(', ');
  const busiest = Math.max(...all.map(({ machine: m }) => m.load));
  const versions = Object.entries(rivals)
    .filter(([name]) => !/tinybench|ml-matrix|tfjs-core|threadpoolctl|SIMD/.test(name))
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  const busy = busiest > cores ? ` The machine was busy (load ${busiest.toFixed(1)}).` : '';
  return `${cpu}, ${cores} cores, ${platform}, Node ${node}; ${versions}; commit ${commits}, ${date}.${busy} \`npm run bench\``;
}

/** The floors of these suites that do not hold, a sentence each. */
export function short(all: Readonly<Record<string, Results>>): string[] {
  const cases = Object.fromEntries(Object.entries(all).map(([suite, results]) => [suite, results.cases]));
  return findings(cases).flatMap(({ work, floor, ratio, range, wrong }) => {
    if (wrong) return [`${work}: wrong answer (${wrong})`];
    if (ratio === undefined) return [`${work}: not measured`];
    if (ratio >= floor) return [];
    return [
      `${work}: ${range ? '' : 'more than '}${ratio.toPrecision(3)}, below ${floor}${range ? ` (rounds ${range.map((r) => r.toPrecision(3)).join(' to ')})` : ''}`,
    ];
  });
}

/** Every timing of a suite, for the eye. */
export function listing({ suite, cases }: Results): string {
  return cases
    .map(({ name, bytes, flops, unit, timings }) => {
      const [mine] = timings;
      const lines = timings.map(({ name: other, median, wrong, moreThan, setting = '' }) => {
        if (wrong) return `    ${other.padEnd(36)} WRONG: ${wrong}`;
        if (moreThan) return `    ${other.padEnd(36)} more than ${moreThan}×, stopped at ${setting}`;
        const gigabytes = bytes ? `${(bytes / median / 1e6).toPrecision(3)} GB/s` : '';
        const work = flops ? `${(flops / median / 1e6).toPrecision(3)} GFLOP/s` : '';
        const cells = [figure(median, unit).padStart(9), gigabytes.padStart(11), work.padStart(14)];
        return `    ${other.padEnd(36)} ${cells.join(' ')} ${`${(median / mine.median).toPrecision(3)}×`.padStart(8)}  ${setting}`.trimEnd();
      });
      return `${suite}: ${name}\n${lines.join('\n')}`;
    })
    .join('\n');
}

const START = '<!-- bench -->';
const END = '<!-- /bench -->';

/** Puts the table of all results between the markers of a page. */
export function writeReadme(folder: string, readme: string): void {
  const text = readFileSync(readme, 'utf8');
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${readme}: expected the markers ${START} and ${END}, in this order`);
  writeFileSync(readme, `${text.slice(0, start + START.length)}\n${markdown(load(folder))}\n${text.slice(end)}`);
}
