/** Flags of a command that a file names, checked before the command runs. */
import { Command } from 'commander';
import { optionOf } from '../options/table.ts';
import type { CommandLine } from './command.ts';

/** What is wrong with the flags of a command; null: nothing that its command line would refuse. Files that they name are not opened. */
export function problemOfFlags({ name, takes, options }: CommandLine, flags: readonly string[]): string | null {
  const command = new Command(name).exitOverride().configureOutput({ writeErr() {}, writeOut() {} });
  for (const [argument, text] of takes) command.argument(argument, text);
  for (const row of options) command.addOption(optionOf(row));
  command.action(() => {});
  try {
    command.parse([...takes.filter(([argument]) => argument.startsWith('<')).map(() => 'x'), ...flags], {
      from: 'user',
    });
    return null;
  } catch (error) {
    return (error as Error).message.replace(/^error: /, '').replace(/\s+/g, ' ');
  }
}
