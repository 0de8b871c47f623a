// Suites of the service that need more than the library:
//   npm run test:service -- clients     official clients
//   npm run test:service -- browser     the pages, in Chromium
//   npm run test:service -- schemathesis     requests made of /openapi.json
import { browser } from './browser/run.mjs';
import { clients } from './clients/run.mjs';
import { schemathesis } from './schemathesis/run.mjs';

const SUITES = { clients, browser, schemathesis };
const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`test:service: expected ${Object.keys(SUITES).join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : Object.keys(SUITES)) if (!(await SUITES[name]())) process.exitCode = 1;
