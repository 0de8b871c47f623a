// Loaded into a service before its program: on SIGUSR2 it collects garbage and says so, that a test sees what is held and not what V8 has yet to collect.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => {
  collect();
  console.log('collected');
});
