import { InvalidArgumentError } from 'commander';
import type { OptionRow } from './table.ts';

export const PASSPHRASE: OptionRow = [
  '--passphrase <file>',
  'file with the passphrase of the private key (default: the variable LOGODDS_PASSPHRASE, else none)',
];

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time from now, or one of the calendar, in UTC. @returns the time by `Date.now`, of the time that it is */
export const validity = (text: string): ((now: number) => number) => {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (unit !== undefined && Number(count) > 0) return (now) => now + Number(count) * UNITS[unit];
  const at = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  // 31 April is no first of May
  if (Number.isNaN(at) || !new Date(at).toISOString().startsWith(text.slice(0, 10)))
    throw new InvalidArgumentError(
      `Expected 365d, 12h, 30m, or a time as 2030-01-31 or 2030-01-31T12:00Z, got "${text}".`,
    );
  return () => at;
};
