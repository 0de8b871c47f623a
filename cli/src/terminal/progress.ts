import { printableLine } from './print.ts';

// a pipe shows no bars
const progress = process.stderr.isTTY ? (await import('cli-progress')).default : null;

/** A phase of the work, shown as a bar on a terminal; silent in a pipe. */
export interface Phase {
  /** @param share  share of the work that is done, 0 to 1; null if it is unknown */
  update(share: number | null, note?: string): void;
  end(): void;
}

const SILENT: Phase & RowPhase = { update() {}, end() {} };

/** Draws on standard error, even while the event loop is busy. It changes no terminal setting, because a signal would leave it changed. */
const OPTIONS = {
  stream: process.stderr,
  fps: 10,
  linewrap: true,
  clearOnComplete: true,
  synchronousUpdate: true,
  barCompleteChar: '█',
  barIncompleteChar: '░',
  barsize: 30,
};

/** @param measured  whether the finished share is known; otherwise only a note is shown */
export function startPhase(name: string, measured: boolean): Phase {
  if (!progress) return SILENT;
  const bar = new progress.SingleBar({
    ...OPTIONS,
    format: measured ? '{name}  {bar}  {percentage} %  {note}' : '{name}  {note}',
  });
  bar.start(100, 0, { name: printableLine(name), note: '' });
  return {
    update: (share, note = '') =>
      bar.update(Math.floor(100 * Math.min(1, Math.max(0, share ?? 0))), { note: printableLine(note) }),
    end: () => bar.stop(),
  };
}

/** A phase that counts rows and shows their rate. */
export interface RowPhase {
  update(rows: number, share: number): void;
  end(): void;
}

export function startRows(name: string): RowPhase {
  const start = performance.now();
  const phase = startPhase(name, true);
  if (phase === SILENT) return SILENT;
  const rate = (rows: number) => Math.round((rows * 1000) / Math.max(1, performance.now() - start));
  return {
    update: (rows, share) => phase.update(share, `${count(rows)} rows, ${count(rate(rows))} rows/s`),
    end: phase.end,
  };
}

const count = (n: number) => n.toLocaleString('en-US');
