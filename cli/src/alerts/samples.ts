/** A number of a service, with its labels. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples by the name of their series: `lr_requests_total`, `lr_request_duration_seconds_bucket`. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \S+)?$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Readonly<Record<string, string>> = { '\\n': '\n', '\\\\': '\\', '\\"': '"' };

/**
 * Reads samples from a text of Prometheus. Lines of other series are passed over, and so is what is no number.
 * @param wanted  names of series
 */
export function samplesOf(text: string, wanted: ReadonlySet<string>): Samples {
  const found = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const end = line.search(/[{ ]/);
    if (end < 0 || !wanted.has(line.slice(0, end))) continue;
    const [, name, labels = '', number] = LINE.exec(line) ?? [];
    const value = numberOf(number);
    if (name === undefined || Number.isNaN(value)) continue;
    const list = found.get(name);
    if (list) list.push({ labels: labelsOf(labels), value });
    else found.set(name, [{ labels: labelsOf(labels), value }]);
  }
  return found;
}

const INFINITE: Readonly<Record<string, number>> = {
  '+Inf': Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
};
const numberOf = (text = 'NaN'): number => INFINITE[text] ?? Number(text);

const labelsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, name, value]) => [name, value.replace(/\\./g, (mark) => ESCAPED[mark] ?? mark)]),
  );
