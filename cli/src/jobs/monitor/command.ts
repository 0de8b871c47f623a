import { LogoddsError } from '../../../../src/index.ts';
import { show } from '../../../../src/internal.ts';
import type { MonitorFlags } from '../../commands/monitor.ts';
import type { ReportTarget } from '../../report/write.ts';
import { monitorText } from '../../terminal/monitor.ts';
import { print, printJson } from '../../terminal/print.ts';
import { assertWritable, OutputFile } from '../../write/temporary.ts';
import { monitorLogs } from './monitor.ts';

/** Runs `logodds monitor`. */
export async function monitorCommand(
  logs: readonly string[],
  { json, report: _, now, ...flags }: MonitorFlags,
  report: ReportTarget | undefined,
  warn: (message: string) => void,
): Promise<void> {
  if (report) assertWritable(report.path, flags.model, ...logs);
  const { result } = await monitorLogs({ ...flags, logs, now: timeOf(now), warn });
  const { seconds, ...found } = result;
  if (report) {
    const { monitorPage } = await import('../../report/monitor.ts');
    const file = new OutputFile(report.path);
    file.write(new TextEncoder().encode(await monitorPage(found, report)));
    file.commit();
  }
  if (json) printJson(found);
  else print(monitorText(found, seconds));
}

/** @throws ERR_RANGE */
function timeOf(given: string | undefined): number {
  if (given === undefined) return Date.now();
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d))?$/.test(given)
    ? Date.parse(given)
    : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw new LogoddsError(
    'ERR_RANGE',
    `--now: expected a time such as 2026-01-31T00:00:00Z, got ${show(given)}; correct it`,
  );
}
