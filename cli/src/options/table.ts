import { Option } from 'commander';

/** How the value of an option is read, and which options it excludes. */
export interface OptionRules {
  /** @param before  the value of an earlier occurrence */
  readonly parse?: (text: string, before: never) => unknown;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly required?: boolean;
  /** excluded options, by commander's names of their values */
  readonly conflicts?: readonly string[];
  /** the heading below which help has it; default Options */
  readonly group?: string;
}

/** An option: its flags, its text in help, and its rules. */
export type OptionRow = readonly [flags: string, text: string, rules?: OptionRules];

/** The command checks `required`, after typing errors have been refused. */
export function optionOf([flags, text, rules = {}]: OptionRow): Option {
  const option = new Option(flags, rules.required ? `${text} (required)` : text).conflicts([
    ...(rules.conflicts ?? []),
  ]);
  if (rules.parse) option.argParser(rules.parse as Parameters<Option['argParser']>[0]);
  if (rules.choices) option.choices(rules.choices);
  if (rules.default !== undefined) option.default(rules.default);
  if (rules.group) option.helpGroup(`${rules.group}:`);
  return option;
}

/** Commander's name for the value of each option. */
export const optionNames = (rows: readonly OptionRow[]): string[] => rows.map((row) => optionOf(row).attributeName());

/** Options that exclude each other. */
export function exclusive(rows: readonly OptionRow[]): OptionRow[] {
  const names = optionNames(rows);
  return rows.map(([flags, text, rules], own) => [
    flags,
    text,
    { ...rules, conflicts: [...(rules?.conflicts ?? []), ...names.filter((_, k) => k !== own)] },
  ]);
}
