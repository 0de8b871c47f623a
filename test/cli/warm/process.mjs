// Runs the command again and again, as cli/bin/logodds.js runs it once.
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '../../../cli/dist/main.js';

const COMMAND = fileURLToPath(new URL('../../../cli/bin/logodds.js', import.meta.url));
/** Bytes that a pipe gives at a time. */
const PIECE = 65_536;

function* pieces(text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

process.on('disconnect', () => process.exit());
process.on('message', async ({ args, stdin }) => {
  process.argv = [process.argv[0], COMMAND, ...args];
  const value = Readable.from(pieces(stdin), { objectMode: false, highWaterMark: PIECE });
  Object.defineProperty(process, 'stdin', { value, configurable: true });
  const status = await main(process.argv);
  process.stdout.removeAllListeners('error');
  process.send(status);
});
