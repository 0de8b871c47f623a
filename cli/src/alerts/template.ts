/*
 * The sentences of alerts, with the templates of Prometheus that ours use: `{{ $labels.model }}`, `{{ $value }}`, `{{ $value | humanize }}` and the like.
 */

/** Fills a sentence. */
export const filled = (text: string, labels: Readonly<Record<string, string>>, value: number): string =>
  text
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '')
    .replace(/\{\{ \$value(?: \| (\w+))? \}\}/g, (_, by?: string) => (by ? (FORMS[by]?.(value) ?? '') : String(value)));

/** Four digits, as Prometheus writes them. */
const digits = (value: number): string => String(Number(value.toPrecision(4)));

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
const SMALL = ['', 'm', 'u', 'n', 'p', 'f', 'a', 'z', 'y'];

function humanize(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return digits(value);
  let [scaled, step] = [value, 0];
  const isLarge = Math.abs(value) >= 1;
  const most = PREFIXES.length - 1;
  if (isLarge) for (; Math.abs(scaled) >= 1000 && step < most; step++) scaled /= 1000;
  else for (; Math.abs(scaled) < 1 && step < most; step++) scaled *= 1000;
  return `${digits(scaled)}${(isLarge ? PREFIXES : SMALL)[step]}`;
}

function humanizeDuration(value: number): string {
  if (!Number.isFinite(value)) return digits(value);
  const sign = value < 0 ? '-' : '';
  const seconds = Math.abs(value);
  if (seconds < 1) return value === 0 ? '0s' : `${humanize(value)}s`;
  const whole = Math.trunc(seconds);
  const [days, hours, minutes] = [
    Math.trunc(whole / 86_400),
    Math.trunc(whole / 3600) % 24,
    Math.trunc(whole / 60) % 60,
  ];
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${whole % 60}s`;
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${whole % 60}s`;
  if (minutes > 0) return `${sign}${minutes}m ${whole % 60}s`;
  return `${sign}${digits(seconds)}s`;
}

const FORMS: Readonly<Record<string, (value: number) => string>> = {
  humanize,
  humanizeDuration,
  humanizePercentage: (value) => `${digits(100 * value)}%`,
};
