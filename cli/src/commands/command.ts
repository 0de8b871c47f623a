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
}

/** What a command does. @param given  the arguments, the flags, the command */
export type Action = (...given: never[]) => void | Promise<void>;

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

export function addCommand(program: Command, line: CommandLine | CommandGroup): void {
  const { name, description, help = '' } = line;
  const command = program.command(name).description(description).addHelpText('after', help);
  if ('commands' in line) {
    command.helpCommand(false);
    for (const one of line.commands) addCommand(command, one);
    return;
  }
  const { takes, options, run } = line;
  for (const [argument, text] of takes) command.argument(argument, text);
  for (const row of options) command.addOption(optionOf(row));
  command.action((...given: unknown[]) => {
    // misspelt options are refused before this, so a missing option is truly absent
    for (const row of options) {
      const option = optionOf(row);
      if (row[2]?.required && command.getOptionValue(option.attributeName()) === undefined)
        command.error(`error: required option '${option.flags}' not specified`);
    }
    return (run as (...all: unknown[]) => void | Promise<void>)(...given);
  });
}
