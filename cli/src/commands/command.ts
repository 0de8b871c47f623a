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
  /**
   * @param given  the arguments, the flags, the command
   * @returns the exit status, where it is not 0 although nothing went wrong
   */
  readonly run: (...given: never[]) => Ended | Promise<Ended>;
}

// biome-ignore lint/suspicious/noConfusingVoidType: most commands return nothing
type Ended = number | void;

/** @param ended  called with an exit status that is not 0 */
export function addCommand(
  program: Command,
  { name, description, takes, options, help = '', run }: CommandLine,
  ended: (status: number) => void,
): void {
  const command = program.command(name).description(description).addHelpText('after', help);
  for (const [argument, text] of takes) command.argument(argument, text);
  for (const row of options) command.addOption(optionOf(row));
  command.action(async (...given: unknown[]) => {
    // misspelt options are refused before this, so a missing option is truly absent
    for (const row of options) {
      const option = optionOf(row);
      if (row[2]?.required && command.getOptionValue(option.attributeName()) === undefined)
        command.error(`error: required option '${option.flags}' not specified`);
    }
    const status = await (run as (...all: unknown[]) => Ended | Promise<Ended>)(...given);
    if (typeof status === 'number') ended(status);
  });
}
