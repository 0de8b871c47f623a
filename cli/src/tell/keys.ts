import { createHash } from 'node:crypto';

/** A key of 255 characters at most, as PagerDuty takes it. */
export const shortKey = (key: string): string =>
  key.length <= 255 ? key : `${key.slice(0, 190)}/${createHash('sha256').update(key).digest('hex')}`;
