import type { Field } from 'logodds/stages';

/**
 * What a log may say of an error: its sentence and where it was. A sentence may repeat a value, so that of a model with private fields is left out.
 */
export function sayableFault(error: unknown, fields: readonly Field[]): string {
  if (!(error instanceof Error)) return typeof error;
  const { name, message, stack = '' } = error;
  if (!fields.some((field) => field.private)) return stack || `${name}: ${message}`;
  const places = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return [`${name}, said without its sentence: the model has private fields`, ...places].join('\n');
}
