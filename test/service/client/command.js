// Node, Deno and Bun: prints what the program returns.
import { run } from './program.js';

console.log(JSON.stringify(await run(process.argv[2], process.argv[3] === 'duplex')));
