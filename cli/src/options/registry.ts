import { JSON_OUTPUT, REGISTRY } from './shared.ts';
import type { OptionRow } from './table.ts';

const BY: OptionRow = ['--by <who>', 'who does it (default: LOGODDS_USER, else the user of the system)'];
const WHY: OptionRow = ['--why <text>', 'why; the log keeps it'];

/** Options of commands that only read a registry. */
export const READS: readonly OptionRow[] = [REGISTRY, JSON_OUTPUT];
/** Options of commands that write an event. */
export const WRITES: readonly OptionRow[] = [WHY, BY, REGISTRY, JSON_OUTPUT];
