import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import type { SourceOptions } from '../read/source.ts';
import { asGiven } from '../stores/arrivals.ts';
import { withoutSecrets } from '../terminal/secrets.ts';
import { OutputFile } from '../write/temporary.ts';
import { type Origin, type ReportInput, reportData } from './data.ts';
import { reportPage } from './page.ts';

/** The path of a report, and facts about its run. */
export interface ReportTarget {
  readonly path: string;
  /** the command line, as it was typed */
  readonly argv: readonly string[];
  /** program and version */
  readonly versions: Origin['versions'];
}

export interface ReportRun extends Omit<ReportInput, 'origin'> {
  readonly modelPath: string;
  readonly sha256: string | null;
  readonly data: SourceOptions;
  readonly seed: number | null;
}

/**
 * Writes the page of `--report`. The file appears under its name only when it is complete.
 * @throws ERR_OUTPUT
 */
export async function writeReport(to: ReportTarget, run: ReportRun): Promise<void> {
  const { modelPath, sha256, data, seed, ...input } = run;
  const origin: Origin = { ...(await originOf(to, data)), model: { path: asGiven(modelPath), sha256 }, seed };
  writePage(to.path, await reportPage(reportData({ ...input, origin })));
}

/** What a page says of the run that made it. */
export const originOf = async (to: ReportTarget, data: SourceOptions): Promise<Omit<Origin, 'model' | 'seed'>> => ({
  argv: to.argv.map(withoutSecrets),
  versions: to.versions,
  data: await digestOf(data),
  made: new Date().toISOString().slice(0, 16).replace('T', ' ').concat(' UTC'),
});

/** Writes a page, which appears under its name when it is complete. @throws ERR_OUTPUT */
export function writePage(path: string, page: string): void {
  const file = new OutputFile(path);
  file.write(new TextEncoder().encode(page));
  file.commit();
}

/** Name and digest of the input; only a single file has a digest. */
export async function digestOf({ data, query }: SourceOptions): Promise<Origin['data']> {
  const name = query === undefined ? (data === '-' ? 'standard input' : data!) : `query ${query}`;
  // a pipe was read, and would be waited for
  if (query !== undefined || data === '-' || !existsSync(name) || !statSync(name).isFile())
    return { name: withoutSecrets(asGiven(name)), sha256: null, bytes: null };
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(name)) hash.update(chunk);
  return { name: withoutSecrets(asGiven(name)), sha256: hash.digest('hex'), bytes: statSync(name).size };
}
