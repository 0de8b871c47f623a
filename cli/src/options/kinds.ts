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
