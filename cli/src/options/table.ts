import { Option } from 'commander';

/** How the value of an option is read, and what it does not go with. */
export interface OptionRules {
  /** @param before  what an earlier occurrence gave */
  readonly parse?: (text: string, before: never) => unknown;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly required?: boolean;
  /** other options, as commander names their values */
  readonly conflicts?: readonly string[];
}

/** An option: how it is written, what help says of it, and its rules. */
export type OptionRow = readonly [flags: string, text: string, rules?: OptionRules];

/** `required` is for the command to check, after what is typed wrong has been named. */
export function optionOf([flags, text, rules = {}]: OptionRow): Option {
  const option = new Option(flags, text).conflicts([...(rules.conflicts ?? [])]);
  if (rules.parse) option.argParser(rules.parse as Parameters<Option['argParser']>[0]);
  if (rules.choices) option.choices(rules.choices);
  if (rules.default !== undefined) option.default(rules.default);
  return option;
}

/** Of each option what commander calls its value. */
export const optionNames = (rows: readonly OptionRow[]): string[] => rows.map((row) => optionOf(row).attributeName());

/** Options of which one at most is given. */
export function exclusive(rows: readonly OptionRow[]): OptionRow[] {
  const names = optionNames(rows);
  return rows.map(([flags, text, rules], own) => [
    flags,
    text,
    { ...rules, conflicts: [...(rules?.conflicts ?? []), ...names.filter((_, k) => k !== own)] },
  ]);
}
