/** The numbers of each calibrator; `NOT_NEGATIVE` names those that are ≥ 0. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
  none: [],
  platt: ['a', 'b'],
  beta: ['a', 'b', 'c'],
  temperature: ['inverse'],
  isotonic: [],
};
const NOT_NEGATIVE: Readonly<Record<string, readonly string[]>> = { beta: ['a', 'b'], temperature: ['inverse'] };
/** exp of a larger number overflows */
const LARGEST_SHIFT = 700;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks the `Calibration` of a model file, so that applying it needs no checks.
 *
 * @param value  parsed JSON
 * @param classes  of the model
 * @returns where it first differs, e.g. ".calibrators.0.a" ("" the whole); null when nowhere
 */
export function findWrongCalibration(value: unknown, classes: number): string | null {
  if (!isObject(value)) return '';
  const { method, calibrators, shift, prior, by } = value;
  const planes = classes === 2 ? 1 : classes;
  if (typeof method !== 'string' || !Object.hasOwn(NUMBERS, method)) return '.method';
  const count = method === 'none' ? 0 : method === 'temperature' ? 1 : planes;
  if (!Array.isArray(calibrators) || calibrators.length !== count) return '.calibrators';
  for (let k = 0; k < count; k++) {
    const wrong = findWrongCalibrator(calibrators[k], method);
    if (wrong !== null) return `.calibrators.${k}${wrong}`;
  }
  if (!isNumbers(shift, -LARGEST_SHIFT, LARGEST_SHIFT) || (shift.length !== 0 && shift.length !== planes))
    return '.shift';
  if (prior !== undefined && !(isNumbers(prior, 0, 1) && prior.length === classes)) return '.prior';
  const known =
    by === null ||
    (isObject(by) && Number.isSafeInteger(by.rows) && (by.folds === null || Number.isSafeInteger(by.folds)));
  return known ? null : '.by';
}

function findWrongCalibrator(value: unknown, method: string): string | null {
  if (!isObject(value)) return '';
  if (value.method !== method) return '.method';
  for (const name of NUMBERS[method]) {
    if (!Number.isFinite(value[name]) || (NOT_NEGATIVE[method]?.includes(name) && (value[name] as number) < 0))
      return `.${name}`;
  }
  if (method !== 'isotonic') return null;
  const { logits, probabilities } = value;
  if (!isNumbers(logits, -1e300, 1e300) || logits.length === 0 || !rises(logits, true)) return '.logits';
  const fits = isNumbers(probabilities, 0, 1) && probabilities.length === logits.length && rises(probabilities, false);
  return fits ? null : '.probabilities';
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNumbers = (value: unknown, low: number, high: number): value is number[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'number' && entry >= low && entry <= high);

const rises = (values: readonly number[], strictly: boolean): boolean =>
  values.every((entry, i) => i === 0 || entry > values[i - 1] || (!strictly && entry === values[i - 1]));
