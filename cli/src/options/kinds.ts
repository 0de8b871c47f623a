/** What the value of an option of a rule may be. */
export interface Kind {
  /** its JSON Schema */
  readonly schema: Readonly<Record<string, unknown>>;
  /** what is expected, in an error */
  readonly rule: string;
  readonly fits: (value: unknown) => boolean;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

export const number = (least: number, most: number): Kind => ({
  schema: { type: 'number', minimum: least, maximum: most },
  rule: `a number from ${least} to ${most}`,
  fits: (value) => typeof value === 'number' && value >= least && value <= most,
});

export const finite: Kind = {
  schema: { type: 'number' },
  rule: 'a number',
  fits: (value) => Number.isFinite(value),
};

export const between: Kind = {
  schema: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
  rule: 'a number above 0 and below 1',
  fits: (value) => typeof value === 'number' && value > 0 && value < 1,
};

export const positive: Kind = {
  schema: { type: 'number', exclusiveMinimum: 0 },
  rule: 'a number above 0',
  fits: (value) => typeof value === 'number' && value > 0 && Number.isFinite(value),
};

export const integer = (least: number, most: number): Kind => ({
  schema: { type: 'integer', minimum: least, maximum: most },
  rule: `a whole number from ${least} to ${most}`,
  fits: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
});

export const text: Kind = { schema: { type: 'string', minLength: 1 }, rule: 'a text', fits: isText };

export const texts: Kind = {
  schema: { type: 'array', items: text.schema, minItems: 1, uniqueItems: true },
  rule: 'a list of different texts, at least one',
  fits: (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isText) && new Set(value).size === value.length,
};

export const onOff: Kind = {
  schema: { type: 'boolean' },
  rule: 'true or false',
  fits: (value) => typeof value === 'boolean',
};

export const choice = (...values: readonly string[]): Kind => ({
  schema: { type: 'string', enum: values },
  rule: `one of ${values.join(', ')}`,
  fits: (value) => values.includes(value as string),
});

export const choiceOfNumber = (what: string, values: readonly number[]): Kind => ({
  schema: { type: 'number', enum: values },
  rule: `${what} (${values.join(', ')})`,
  fits: (value) => values.includes(value as number),
});

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const DURATION = '^(\\d{1,6})(s|m|h|d)$';

/** The seconds of `90s`, `15m`, `6h` or `30d`; NaN for others. */
export function secondsOf(text: string): number {
  const [, value, unit] = new RegExp(DURATION).exec(text) ?? [];
  return Number(value) * SECONDS[unit ?? '']!;
}

/** A time between two others. */
export const period = (least: string, most: string): Kind => ({
  schema: { type: 'string', pattern: DURATION },
  rule: `a time from ${least} to ${most}, such as ${least} or ${most}`,
  fits: (value) => {
    const seconds = typeof value === 'string' ? secondsOf(value) : Number.NaN;
    return seconds >= secondsOf(least) && seconds <= secondsOf(most);
  },
});
