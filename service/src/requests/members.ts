/** The members of an object of JSON. */
export type Members = Readonly<Record<string, unknown>>;

/** Whether a value of JSON is an object: neither null nor an array. */
export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
