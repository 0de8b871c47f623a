import { lengthOf } from '../requests/length.ts';

/** Bytes of a body from which on it is long. How many rows it has is not known before it is read; its bytes are. */
const LONG = 2 ** 16;

/** Bytes of a long body; 0 for a short one, and for one that comes in chunks, which is a stream that is scored piece by piece. */
export function longBytes(request: Request): number {
  const bytes = lengthOf(request) ?? 0;
  return bytes >= LONG ? bytes : 0;
}

/** Whether a request has a long body. */
export const isLong = (request: Request): boolean => longBytes(request) > 0;
