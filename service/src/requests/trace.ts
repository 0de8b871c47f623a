/** A span of a distributed trace, by the W3C's Trace Context. */
export interface Trace {
  /** 32 hexadecimal digits */
  readonly traceId: string;
  /** 16 hexadecimal digits; null: the span of the request is not known, only the trace that it belongs to */
  readonly spanId: string | null;
  /** headers that carry it on to what is called for the request */
  readonly headers: Readonly<Record<string, string>>;
}

const traces = new WeakMap<Request, Trace>();

export const setTrace = (request: Request, trace: Trace): unknown => traces.set(request, trace);

const PARENT = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(-|$)/;

/** The trace of a request: that of its span, else the one that its caller says it belongs to; null: none. */
export function traceOf(request: Request): Trace | null {
  const own = traces.get(request);
  if (own) return own;
  const traceparent = request.headers.get('traceparent');
  const traceId = traceparent && PARENT.exec(traceparent)?.[1];
  if (!traceId) return null;
  const tracestate = request.headers.get('tracestate');
  return { traceId, spanId: null, headers: { traceparent, ...(tracestate && { tracestate }) } };
}

/** Headers for what is called for a request, so that the call belongs to its trace. */
export const traceHeaders = (request: Request): Readonly<Record<string, string>> => traceOf(request)?.headers ?? {};
