import type { LogoddsError } from '../../../../src/index.ts';
import { complete, isObject, readValues, refusedFor, show, unknown } from '../../options/tableFile.ts';
import {
  type GateRules,
  type Given,
  OPTIONAL,
  RULES,
  type Rule,
  type RuleName,
  SETTINGS,
  type Settings,
} from './rules.ts';

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
  const values = await readValues(`--rules ${file}`, file, 'a file of rules');
  return rulesOf(`--rules ${file}`, values);
}

/** Checked and completed rules. @throws ERR_RANGE naming everything that is wrong */
export function rulesOf(what: string, values: unknown): GateRules {
  const problems: string[] = [];
  if (!isObject(values) || !isObject(values['rules']))
    throw refused(what, [`expected an object with rules, got ${show(isObject(values) ? values['rules'] : values)}`]);
  const { rules: given, $schema: _, ...others } = values;
  const settings = complete('', others, SETTINGS, problems, ['rules']) as unknown as Settings;
  for (const name of Object.keys(given))
    if (!Object.hasOwn(RULES, name)) problems.push(unknown('', name, Object.keys(RULES), 'a rule'));
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

const refused = (what: string, problems: readonly string[]): LogoddsError =>
  refusedFor(what, problems, 'gate.schema.json');
