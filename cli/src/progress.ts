import progress from 'cli-progress';

/** One phase of the work, as a bar on a terminal; silent in a pipe. */
export interface Phase {
  update(done: number, note?: string): void;
  end(): void;
}

const SILENT: Phase = { update() {}, end() {} };

/** Options of a bar that both kinds share: drawn on standard error, also when the event loop is busy. */
const COMMON = { stream: process.stderr, fps: 10, hideCursor: null, clearOnComplete: true, synchronousUpdate: true };

/** @param total what `done` counts up to; null when nobody knows */
export function startPhase(name: string, total: number | null): Phase {
  if (!process.stderr.isTTY) return SILENT;
  const format = total === null ? `${name}  {note}` : `${name}  {bar}  {percentage} %  {note}`;
  const bar = new progress.SingleBar({ ...COMMON, format, barCompleteChar: '█', barIncompleteChar: '░', barsize: 30 });
  bar.start(total ?? 1, 0, { note: '' });
  return {
    update: (done, note = '') => bar.update(total === null ? 0 : Math.min(done, total), { note }),
    end: () => bar.stop(),
  };
}

/** A phase that counts rows and shows their rate. */
export function startRows(name: string, total: number | null): Phase {
  const start = performance.now();
  const phase = startPhase(name, total);
  return {
    update: (rows) => phase.update(rows, `${count(rows)} rows, ${count(rate(rows, start))} rows/s`),
    end: phase.end,
  };
}

const rate = (rows: number, start: number) => Math.round((rows * 1000) / Math.max(1, performance.now() - start));
const count = (n: number) => n.toLocaleString('en-US');
