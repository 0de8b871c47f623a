/** Characters that JSON leaves as they are but a script does not: line separators, and what could end a script element. */
const UNSAFE = /[\u2028\u2029<]/g;

/**
 * Returns the JavaScript source of a value of JSON, which reads back to the same value. Beyond JSON it writes −0, NaN and infinities, and a key
 * `__proto__` is an own property. It leaves out what is undefined.
 */
export function literal(value: unknown): string {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (Array.isArray(value)) return `[${value.map(literal).join()}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return `{${entries.map(([key, part]) => `${keyOf(key)}:${literal(part)}`).join()}}`;
}

const text = (value: string): string =>
  JSON.stringify(value).replace(UNSAFE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** `"__proto__": …` would set the prototype. */
const keyOf = (key: string): string => (key === '__proto__' ? `[${text(key)}]` : text(key));

/** The source that reads a field of a record. */
export const member = (object: string, name: string): string =>
  /^[A-Za-z_]\w*$/.test(name) ? `${object}.${name}` : `${object}[${text(name)}]`;
