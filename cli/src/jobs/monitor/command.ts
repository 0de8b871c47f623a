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
  const { result } = await monitorLogs({ ...flags, logs, now: now ?? Date.now(), warn });
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
