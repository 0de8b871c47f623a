// Ends or stops a process at a point that a test names: `node --import atStep.mjs`. LOGODDS_KILL is {"at": TEXT, "when": …}:
//   before, after, within   when it writes a line that has the text
//   while                   when it has started a command of that name, which lives on
//   stopped                 it is not ended but stopped, until SIGCONT, after the line
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { at, when } = JSON.parse(process.env.LOGODDS_KILL);
delete process.env.LOGODDS_KILL;
const { writeSync } = fs;
const { spawn } = childProcess;
const end = () => process.kill(process.pid, 'SIGKILL');

fs.writeSync = (file, data, ...rest) => {
  const isIt = when !== 'while' && typeof data === 'string' && data.includes(at);
  if (!isIt) return writeSync(file, data, ...rest);
  if (when === 'before') end();
  const written = writeSync(file, when === 'within' ? data.slice(0, data.length / 2) : data, ...rest);
  if (when !== 'stopped') end();
  process.kill(process.pid, 'SIGSTOP');
  return written;
};
childProcess.spawn = (file, words, ...rest) => {
  const child = spawn(file, words, ...rest);
  if (when === 'while' && words.includes(at)) end();
  return child;
};
syncBuiltinESMExports();
