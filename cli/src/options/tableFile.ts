import { readFileSync } from 'node:fs';
import { LogoddsError } from '../../../src/index.ts';
import { wrongUsage } from '../errors.ts';
import { nearest } from '../read/names.ts';
import { reason } from '../write/temporary.ts';
import type { Kind } from './kinds.ts';

/*
 * Files of settings, in JSON or YAML, of which a table tells what they may have. Their checks and their JSON Schema are made of that table.
 */

/** An option: what it may be, what it means, and what it is where nobody says. `null`: it must be given. Absent: it may be left out. */
export type OptionOfTable = readonly [kind: Kind, about: string, preset?: unknown];
export type OptionTable = Readonly<Record<string, OptionOfTable>>;

export type Values = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The JSON Schema of an object of options. */
export const propertiesOf = (options: OptionTable) => ({
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    Object.entries(options).map(([key, [kind, about, preset]]) => [
      key,
      { description: about, ...kind.schema, ...(preset !== undefined && preset !== null && { default: preset }) },
    ]),
  ),
  ...(Object.values(options).some(([, , preset]) => preset === null) && {
    required: Object.keys(options).filter((key) => options[key][2] === null),
  }),
});

/**
 * The values of a file in JSON or YAML.
 * @param what  begins the sentence of an error
 * @param kind  what the file is, as "a file of rules"
 * @throws ERR_DATA when it cannot be read or is neither
 */
export async function readValues(what: string, file: string, kind: string): Promise<unknown> {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    const sentence = `${what}: expected ${kind}, got an error (${reason(error)}); check the path`;
    throw wrongUsage(new LogoddsError('ERR_DATA', sentence, { cause: error }));
  }
  // JSON is YAML, so that one reader has both, with lines and with keys that stand twice
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw wrongUsage(
      new LogoddsError(
        'ERR_DATA',
        `${what}: expected ${/\.json$/i.test(file) ? 'JSON' : 'YAML or JSON'}, got an error in line ${line} (${error.message}); mend it`,
      ),
    );
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw wrongUsage(
      new LogoddsError(
        'ERR_DATA',
        `${what}: expected few aliases, got an error (${reason(error)}); write it without them`,
      ),
    );
  }
}

/** Whether a file of settings has none: what it leaves out is the default, which its reader should say. */
export const hasNone = (values: unknown): boolean =>
  values === null ||
  values === undefined ||
  (isObject(values) && Object.keys(values).every((key) => key === '$schema'));

/** @param schema  file of the package that has the keys */
export function refusedFor(what: string, problems: readonly string[], schema: string): LogoddsError {
  const [first, ...more] = problems;
  const others = more.length > 0 ? ` (and ${more.length} more: ${more.slice(0, 8).join('; ')})` : '';
  return wrongUsage(
    new LogoddsError('ERR_RANGE', `${what}: ${first}${others}; its keys are in ${schema} of the package`),
  );
}

/**
 * An object of options, complete.
 * @param place  begins the names of its keys in problems
 * @param sections  keys beside them that others read, which are not in `given`
 */
export function complete(
  place: string,
  given: Values,
  options: OptionTable,
  problems: string[],
  sections: readonly string[] = [],
): Values {
  for (const key of Object.keys(given))
    if (!Object.hasOwn(options, key))
      problems.push(unknown(place, key, [...Object.keys(options), ...sections], 'an option'));
  const found: Record<string, unknown> = {};
  for (const [key, [kind, , preset]] of Object.entries(options)) {
    if (key in given) {
      const fits = kind.fits(given[key]);
      if (!fits) problems.push(`${place}${key}: expected ${kind.rule}, got ${show(given[key])}`);
      // what is no value of its kind goes no further: nothing could be made of it
      found[key] = fits ? given[key] : (preset ?? undefined);
    } else if (preset === null) problems.push(`${place}${key}: expected ${kind.rule}, got nothing`);
    else if (preset !== undefined) found[key] = preset;
  }
  return found;
}

/** @param what  `a rule` */
export function unknown(place: string, key: string, known: readonly string[], what: string): string {
  const guess = nearest(key, known);
  const next = `${guess ? `did you mean ${guess}? ` : ''}there are ${known.join(', ')}`;
  return `${place}${key.slice(0, 60)}: expected ${what} that exists, got another; ${next}`;
}

export const show = (value: unknown): string => {
  const shown = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
};
