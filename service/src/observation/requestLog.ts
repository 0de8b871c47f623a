import type { Asked, LogLine, Witness } from '../hooks.ts';
import { traceOf } from '../requests/trace.ts';

/** Characters of a name that a client has made up. */
const MOST = 128;

/** Writes a line for each request. No value of it stands there: of a refusal the code and the fields. */
export const requestLog = (log: (line: LogLine) => void): Witness => ({
  ended(asked: Asked, status: number) {
    const { request, id, protocol, caller, found, rows, began, refusal, segment } = asked;
    const trace = traceOf(request);
    log({
      level: status >= 500 ? 'error' : 'info',
      event: 'request',
      id,
      ...(trace && { trace: trace.traceId, span: trace.spanId }),
      caller,
      protocol,
      status,
      ...(refusal && { code: refusal.code, fields: fieldsOf(asked) }),
      model: found?.name ?? asked.asked?.name.slice(0, MOST) ?? null,
      version: found?.version ?? null,
      sha256: found?.sha256 ?? null,
      ...(segment !== null && { segment }),
      rows,
      ms: Math.round((performance.now() - began) * 1000) / 1000,
    });
  },
});

/** Fields of the model for which a request was refused; names that a client has made up are none. */
function fieldsOf({ refusal, found }: Asked): string[] {
  const known = new Set(found?.fields.map(({ name }) => name));
  return [...new Set(refusal!.problems.flatMap(({ field }) => (field !== undefined && known.has(field) ? field : [])))];
}
