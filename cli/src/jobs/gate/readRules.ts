import { readFileSync } from 'node:fs';
import { LogoddsError } from '../../../../src/index.ts';
import { nearest } from '../../read/names.ts';
import { reason } from '../../write/temporary.ts';
import {
  type GateRules,
  type Given,
  OPTIONAL,
  type OptionOfRule,
  RULES,
  type Rule,
  type RuleName,
  SETTINGS,
  type Settings,
} from './rules.ts';

type Values = Readonly<Record<string, unknown>>;
const TABLE: readonly (readonly [RuleName, Rule])[] = Object.entries(RULES) as [RuleName, Rule][];

/** The rules where no file is given. */
export const defaultRules = (): GateRules =>
  rulesOf('the default rules', {
    rules: Object.fromEntries(TABLE.filter(([, { inForce }]) => inForce).map(([name]) => [name, {}])),
  });

/**
 * Reads a file of rules, in JSON or YAML. Whether columns and features are there is checked when the data are known.
 * @throws ERR_DATA when it cannot be read or is no JSON; ERR_RANGE for rules and options that do not exist or do not fit, all of them
 */
export async function readRules(file: string | undefined): Promise<GateRules> {
  if (file === undefined) return defaultRules();
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    const what = `--rules ${file}: expected a file of rules, got an error (${reason(error)}); check the path`;
    throw new LogoddsError('ERR_DATA', what, { cause: error });
  }
  // JSON is YAML, so that one reader has both, with lines and with keys that stand twice
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line } = lines.linePos(error.pos[0]);
    throw new LogoddsError(
      'ERR_DATA',
      `--rules ${file}: expected JSON, got an error in line ${line} (${error.message}); mend it`,
    );
  }
  let values: unknown;
  try {
    values = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new LogoddsError(
      'ERR_DATA',
      `--rules ${file}: expected few aliases, got an error (${reason(error)}); write it without them`,
    );
  }
  return rulesOf(`--rules ${file}`, values);
}

/** Checked and completed rules. @throws ERR_RANGE naming everything that is wrong */
export function rulesOf(what: string, values: unknown): GateRules {
  const problems: string[] = [];
  const isObject = (value: unknown): value is Values =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject(values) || !isObject(values['rules']))
    throw refused(what, [`expected an object with rules, got ${show(isObject(values) ? values['rules'] : values)}`]);
  const { rules: given, $schema: _, ...others } = values;
  const settings = complete('', others, SETTINGS, problems) as unknown as Settings;
  for (const name of Object.keys(given))
    if (!Object.hasOwn(RULES, name)) problems.push(unknown('', name, Object.keys(RULES), 'rule'));
  const rules: Partial<Record<RuleName, readonly Given[]>> = {};
  for (const [name, rule] of TABLE) {
    const own = given[name] ?? (rule.inForce === 'always' ? {} : undefined);
    if (own === undefined) continue;
    const list = rule.many && Array.isArray(own) ? own : [own];
    if (list.length === 0) problems.push(`${name}: expected at least one, got none`);
    rules[name] = list.map((one, k) => {
      const place = list.length > 1 ? `${name}[${k}]` : name;
      if (!isObject(one)) {
        problems.push(`${place}: expected an object of options, got ${show(one)}`);
        return { optional: false };
      }
      if (rule.oneOf && !rule.oneOf.some((key) => key in one))
        problems.push(`${place}: expected one of ${rule.oneOf.join(', ')}, got none`);
      const found = complete(`${place}.`, one, { ...rule.options, optional: OPTIONAL }, problems) as Given;
      if ('least' in found && 'greatest' in found && (found['least'] as number) > (found['greatest'] as number))
        problems.push(`${place}.least: expected at most ${found['greatest']} (greatest), got ${found['least']}`);
      if (name === 'auc' && found['method'] === 'delong' && settings.cluster !== undefined)
        problems.push(`${place}.method: expected bootstrap beside a cluster, got delong`);
      return found;
    });
  }
  if (problems.length > 0) throw refused(what, problems);
  return { ...settings, rules };
}

function refused(what: string, problems: readonly string[]): LogoddsError {
  const [first, ...more] = problems;
  const others = more.length > 0 ? ` (and ${more.length} more: ${more.slice(0, 8).join('; ')})` : '';
  return new LogoddsError('ERR_RANGE', `${what}: ${first}${others}; its keys are in gate.schema.json of the package`);
}

function complete(
  place: string,
  given: Values,
  options: Readonly<Record<string, OptionOfRule>>,
  problems: string[],
): Values {
  for (const key of Object.keys(given))
    if (!Object.hasOwn(options, key)) problems.push(unknown(place, key, Object.keys(options), 'option'));
  const found: Record<string, unknown> = {};
  for (const [key, [kind, , preset]] of Object.entries(options)) {
    if (key in given) {
      if (!kind.fits(given[key])) problems.push(`${place}${key}: expected ${kind.rule}, got ${show(given[key])}`);
      found[key] = given[key];
    } else if (preset === null) problems.push(`${place}${key}: expected ${kind.rule}, got nothing`);
    else if (preset !== undefined) found[key] = preset;
  }
  return found;
}

function unknown(place: string, key: string, known: readonly string[], what: string): string {
  const guess = nearest(key, known);
  const next = guess ? `did you mean ${guess}?` : `there are ${known.join(', ')}`;
  return `${place}${key.slice(0, 60)}: expected ${what === 'rule' ? 'a rule' : 'an option'} that exists, got another; ${next}`;
}

const show = (value: unknown): string => {
  const shown = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
};
