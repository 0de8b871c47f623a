import { LogoddsError } from '../../../../src/index.ts';
import { bytes, counted, significant } from '../../figures/wording.ts';
import { runsPage } from '../../report/runsPage.ts';
import { facts, table } from '../../terminal/layout.ts';
import { note } from '../../terminal/print.ts';
import { OutputFile } from '../../write/temporary.ts';
import { type Comparison, compare, hasMetric, shortValue, sorted } from './compare.ts';
import { placeOf } from './place.ts';
import { type RunRecord, type Shelf, stepsOf } from './record.ts';

export interface CompareOptions {
  readonly experiment?: string;
  readonly sort?: string;
  readonly most?: number;
  readonly from?: string;
  readonly report?: string;
}

/** What a command says: for programs and for people. */
export interface Said {
  readonly json: object;
  readonly text: string;
}

/** Most parameters that the table of the terminal has columns for. */
const COLUMNS = 6;

/** Compares runs of a place. @throws ERR_DATA for no runs, or a metric that none has */
export async function compareRuns(
  place: string | undefined,
  rest: string | undefined,
  options: CompareOptions,
): Promise<Said> {
  const { experiment, sort, most = 50, report, from } = options;
  if (rest !== undefined || from !== undefined)
    throw new LogoddsError(
      'ERR_RANGE',
      `runs: expected one place, got more (${rest ?? from}); name a folder or an address, or write runs show RUN`,
    );
  const shelf = placeOf(place);
  const { runs: all, notes } = await shelf.list(experiment);
  for (const one of notes) note(one);
  if (all.length === 0)
    throw new LogoddsError(
      'ERR_DATA',
      `${shelf.place}: expected runs${experiment === undefined ? '' : ` of the experiment ${experiment}`}, got none; logodds train … --track keeps one`,
    );
  if (sort !== undefined && !all.some((run) => hasMetric(run, sort))) {
    const known = [...new Set(all.flatMap(({ metrics }) => Object.keys(metrics)))].sort();
    throw new LogoddsError(
      'ERR_DATA',
      `--sort: expected a metric of the runs (${known.join(', ')}), got ${sort}; name one of them`,
    );
  }
  const order = sort === undefined ? all : sorted(all, sort);
  const shown = order.slice(0, most);
  const comparison = compare(report === undefined ? shown : await withCurves(shelf, shown), sort);
  if (report !== undefined) {
    const file = new OutputFile(report);
    file.write(new TextEncoder().encode(await runsPage({ place: shelf.place, total: all.length, sort, comparison })));
    file.commit();
  }
  const { best, differing, cautions } = comparison;
  const json = {
    place: shelf.place,
    total: all.length,
    runs: shown.map(({ curves, steps, ...run }) => run),
    best: Object.fromEntries([...best].map(([metric, run]) => [metric, { run: run.id, value: run.metrics[metric] }])),
    ...{ differing, cautions },
  };
  return { json, text: comparisonText(shelf.place, all.length, comparison) };
}

/** Runs with their curves, which a server tells of one at a time. */
async function withCurves(shelf: Shelf, runs: readonly RunRecord[]): Promise<RunRecord[]> {
  const found: RunRecord[] = [];
  for (const run of runs) {
    const whole = Object.keys(run.curves).length > 0 ? run : await shelf.find(run.id);
    found.push(whole ? { ...run, curves: whole.curves, ...(whole.steps && { steps: whole.steps }) } : run);
  }
  return found;
}

/** Shows one run. @throws ERR_DATA where there is none of the id */
export async function showRun(id: string | undefined, { from }: CompareOptions): Promise<Said> {
  if (id === undefined)
    throw new LogoddsError('ERR_RANGE', 'runs show: expected the id of a run, got none; logodds runs lists them');
  const shelf = placeOf(from);
  const run = await shelf.find(id);
  if (!run)
    throw new LogoddsError(
      'ERR_DATA',
      `${shelf.place}: expected the id of one run, or a part of it, got ${id}; logodds runs lists them`,
    );
  return { json: run, text: runText(run) };
}

/** A time without its fractions. */
export const timeOf = (text: string): string => text.slice(0, 19).replace('T', ' ');

function comparisonText(
  place: string,
  total: number,
  { runs, metrics, best, differing, cautions }: Comparison,
): string {
  const several = new Set(runs.map(({ experiment }) => experiment)).size > 1;
  const columns = differing.slice(0, COLUMNS);
  const head = [
    'run',
    'started (UTC)',
    'command',
    'status',
    ...(several ? ['experiment'] : []),
    ...metrics,
    ...columns,
  ];
  const rows = runs.map((run) => [
    run.id,
    timeOf(run.started),
    run.command,
    run.status,
    ...(several ? [run.experiment] : []),
    ...metrics.map((name) => {
      const mark = best.get(name) === run ? '*' : ' ';
      return Object.hasOwn(run.metrics, name) ? `${significant(run.metrics[name]!)}${mark}` : '– ';
    }),
    ...columns.map((name) => shortValue(run.params[name] ?? '–')),
  ]);
  const named = [...best].filter(([name]) => metrics.includes(name));
  const lines = [
    ...cautions,
    named.length > 0
      ? `* best of its metric: ${named.map(([name, run]) => `${name} ${significant(run.metrics[name]!)} (${run.id})`).join(', ')}`
      : '',
    differing.length > COLUMNS
      ? `${counted(differing.length - COLUMNS, 'more parameter differs', 'more parameters differ')} (${differing.slice(COLUMNS, COLUMNS + 8).join(', ')}${differing.length > COLUMNS + 8 ? ', …' : ''}): --json and --report have them`
      : '',
    total > runs.length
      ? `${counted(total - runs.length, 'more run')}: --most shows ${total - runs.length === 1 ? 'it' : 'them'}`
      : '',
  ].filter(Boolean);
  const count = counted(total, 'run');
  return `${count} in ${place}\n\n${table([head, ...rows])}\n${lines.length > 0 ? `\n${lines.map((line) => `  ${line}\n`).join('')}` : ''}`;
}

function runText(run: RunRecord): string {
  const pairs = (entries: Readonly<Record<string, string>>) =>
    Object.keys(entries).length > 0 ? facts(Object.entries(entries)) : '  none';
  const metrics = Object.fromEntries(Object.entries(run.metrics).map(([name, value]) => [name, significant(value)]));
  const curves = Object.entries(run.curves).map(([name, values]): [string, string] => [
    name,
    `${counted(values.length, 'value')}${run.steps?.[name] ? ` up to step ${stepsOf(run, name).at(-1)}` : ''}, from ${significant(values[0] ?? null)} to ${significant(values.at(-1) ?? null)}`,
  ]);
  const known = facts([
    ['run', run.id],
    ['name', run.name],
    ['experiment', run.experiment],
    ['status', run.status],
    ['started', `${timeOf(run.started)} UTC`],
    run.ended === null ? null : ['ended', `${timeOf(run.ended)} UTC`],
    ['command', run.line],
    ...run.data.map(({ name, sha256, bytes: size }): [string, string] => [
      'data',
      `${name}${size === null ? '' : `, ${bytes(size)}`}${sha256 === null ? '' : `, SHA-256 ${sha256}`}`,
    ]),
    run.model === null ? null : ['model', `SHA-256 ${run.model.sha256}`],
    run.artifacts.length === 0 ? null : ['files', run.artifacts.join(', ')],
    ...run.notes.map((one): [string, string] => ['note', one]),
    run.error === null ? null : ['error', run.error],
  ]);
  const parts = [known, `parameters\n${pairs(run.params)}`, `metrics\n${pairs(metrics)}`];
  if (curves.length > 0) parts.push(`curves\n${facts(curves)}`);
  return `${parts.join('\n\n')}\n`;
}
