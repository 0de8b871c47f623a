/**
 * How fast the budget of errors is spent: an alert asks for a long window, so that it is worth telling, and a twelfth of it, so that it is still so. A
 * share of bad events of `burn` times what the objective allows, all through the long window, spends `burn · long / period` of the budget.
 * From Google's The Site Reliability Workbook, chapter 5, table 5-8; of 30 days these are 1 h, 6 h, 1 d and 3 d.
 */
export interface BurnWindow {
  readonly severity: 'page' | 'ticket';
  readonly burn: number;
  /** seconds */
  readonly long: number;
  readonly short: number;
}

const TABLE = [
  ['page', 14.4, 1 / 720],
  ['page', 6, 1 / 120],
  ['ticket', 3, 1 / 30],
  ['ticket', 1, 1 / 10],
] as const;

/** @param period  of the budget, in seconds */
export const burnWindows = (period: number): readonly BurnWindow[] =>
  TABLE.map(([severity, burn, share]) => ({
    severity,
    burn,
    long: Math.round(period * share),
    short: Math.round((period * share) / 12),
  }));

/** Seconds as Prometheus writes them: 1h30m. */
export function promDuration(seconds: number): string {
  let rest = Math.max(1, Math.round(seconds));
  let text = '';
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
