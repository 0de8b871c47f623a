import type { Asked, LogLine, Witness } from '../hooks.ts';

/** Writes a line for each request. */
export const requestLog = (log: (line: LogLine) => void): Witness => ({
  ended({ id, protocol, found, asked, rows, began }: Asked, status: number) {
    log({
      level: 'info',
      event: 'request',
      id,
      protocol,
      status,
      model: found?.name ?? asked?.name ?? null,
      version: found?.version ?? null,
      sha256: found?.sha256 ?? null,
      rows,
      ms: Math.round((performance.now() - began) * 1000) / 1000,
    });
  },
});
