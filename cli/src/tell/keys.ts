import { createHash } from 'node:crypto';
import type { Telling } from './telling.ts';

/** A key of 255 characters at most, as PagerDuty takes it. */
export const shortKey = (key: string): string =>
  key.length <= 255 ? key : `${key.slice(0, 190)}/${createHash('sha256').update(key).digest('hex')}`;

/** What a message is, however often it is sent: whose, of which alerts since when, and whether they are over. Figures in its text may have become others. */
export const messageKey = ({ key, status, alerts, change, round = 0 }: Telling): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        key,
        status,
        round,
        change,
        alerts.map(({ labels, startsAt, endsAt }) => [labels, startsAt, endsAt !== null]),
      ]),
    )
    .digest('hex')
    .slice(0, 32);
