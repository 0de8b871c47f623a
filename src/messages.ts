// Words of error messages.

/** A value in an error message: text in quotes, cut after 40 characters; the type of anything that is not a scalar. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cut(value));
  if (value == null) return 'nothing';
  return Object(value) === value || typeof value === 'symbol' ? `a value of type ${typeof value}` : cut(String(value));
}

const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

/** Quoted names for an error message: at most ten, then the number of the others. */
export function list(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(show).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
