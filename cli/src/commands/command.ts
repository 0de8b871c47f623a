import type { Command } from 'commander';
import { type OptionRow, optionOf } from '../options/table.ts';

/** A command: its command line and its action. */
export interface CommandLine {
  readonly name: string;
  readonly description: string;
  readonly takes: readonly (readonly [name: string, text: string])[];
  /** in the order of help */
  readonly options: readonly OptionRow[];
  /** below the options */
  readonly help?: string;
  readonly run: Action;
  /** Numbers of arguments and names of options whose addresses it opens itself. In place of all others it gets files. */
  readonly opens?: (flags: Record<string, unknown>) => readonly (number | string)[];
}

/** Addresses of object stores. */
const ADDRESS = /\b(s3|gs|az|abfss):\/\//;

/** Commands that have places of their own, and run on. */
const OWN: ReadonlySet<string> = new Set(['serve', 'retrain']);

/** Exit status of a command, where it is not 0 although nothing went wrong. */
// biome-ignore lint/suspicious/noConfusingVoidType: most commands return nothing
type Ended = number | void;

/** What a command does. @param given  the arguments, the flags, the command */
export type Action = (...given: never[]) => Ended | Promise<Ended>;

/** An action of a file that is loaded when it is needed: the other commands start without it. */
export const later =
  <Name extends string>(load: () => Promise<{ readonly [N in Name]: Action }>, name: Name): Action =>
  async (...given) =>
    (await load())[name](...given);

/** A command whose first argument is the name of another one. */
export interface CommandGroup {
  readonly name: string;
  readonly description: string;
  /** in the order of help */
  readonly commands: readonly CommandLine[];
  /** below the commands */
  readonly help?: string;
}

/** @param ended  called with an exit status that is not 0 */
export function addCommand(program: Command, line: CommandLine | CommandGroup, ended: (status: number) => void): void {
  const { name, description, help = '' } = line;
  const command = program.command(name).description(description).addHelpText('after', help);
  if ('commands' in line) {
    command.helpCommand(false);
    for (const one of line.commands) addCommand(command, one, ended);
    return;
  }
  const { takes, options, run } = line;
  for (const [argument, text] of takes) command.argument(argument, text);
  // as they were written, one of them twice is once
  const written = new Map<string, string>();
  for (const row of options) {
    const option = optionOf(row);
    command.addOption(option).on(`option:${option.name()}`, () => {
      written.set(option.name(), option.flags);
    });
  }
  command.action(async (...given: unknown[]) => {
    for (const [name, flags] of written)
      if (written.has(`no-${name}`))
        command.error(`error: option '${flags}' cannot be used with option '--no-${name}'; leave one of them out`);
    // misspelt options are refused before this, so a missing option is truly absent
    for (const row of options) {
      const option = optionOf(row);
      if (row[2]?.required && command.getOptionValue(option.attributeName()) === undefined)
        command.error(`error: required option '${option.flags}' not specified`);
    }
    const act = run as (...all: unknown[]) => Ended | Promise<Ended>;
    const flags = command.opts();
    const hasAddress = ADDRESS.test(JSON.stringify([given.slice(0, -2), flags]));
    if (!hasAddress || OWN.has(name)) {
      const status = await act(...given);
      if (typeof status === 'number') ended(status);
      return;
    }
    // what speaks to stores is loaded with the first address
    const { withObjects } = await import('../stores/commandLine.ts');
    const status = await withObjects(name, given.slice(0, -2), flags, line.opens?.(flags) ?? [], async (files, named) =>
      act(...files, named, command),
    );
    if (typeof status === 'number') ended(status);
  });
}
