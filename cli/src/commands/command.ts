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
  /** @param given  the arguments, the flags, the command */
  readonly run: (...given: never[]) => void | Promise<void>;
}

export function addCommand(program: Command, { name, description, takes, options, help = '', run }: CommandLine): void {
  const command = program.command(name).description(description).addHelpText('after', help);
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
