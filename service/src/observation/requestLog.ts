import type { Asked, LogLine, Witness } from '../hooks.ts';
import { callerName } from '../requests/caller.ts';

/** Writes a line for each request. */
export const requestLog = (log: (line: LogLine) => void): Witness => ({
  ended({ id, request, protocol, found, asked, rows, began }: Asked, status: number) {
    log({
      level: 'info',
      event: 'request',
      id,
      caller: callerName(request),
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
