// Runs the command again and again, as cli/bin/logodds.js runs it once.
import { rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '../../../cli/dist/main.js';

const COMMAND = fileURLToPath(new URL('../../../cli/bin/logodds.js', import.meta.url));
const HOME = process.cwd();
/** what this process writes; it goes with who started it */
const OUTPUTS = process.argv[2];
/** Bytes that a pipe gives at a time. */
const PIECE = 65_536;

function* pieces(text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

process.on('disconnect', () => {
  rmSync(OUTPUTS, { recursive: true, force: true });
  process.exit();
});
process.on('message', async ({ folder, args, stdin }) => {
  process.chdir(folder);
  process.argv = [process.argv[0], COMMAND, ...args];
  const value = Readable.from(pieces(stdin), { objectMode: false, highWaterMark: PIECE });
  Object.defineProperty(process, 'stdin', { value, configurable: true });
  const status = await main(process.argv);
  process.stdout.removeAllListeners('error');
  process.chdir(HOME);
  process.send(status);
});
