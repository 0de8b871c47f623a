// Suites of the service that need more than the library:
//   npm run test:service -- access      a real issuer of OpenID Connect, a real Open Policy Agent
//   npm run test:service -- clients     official clients
//   npm run test:service -- telemetry   receivers of traces and metrics, a full disk, a killed process
import { access } from './access/run.mjs';
import { clients } from './clients/run.mjs';
import { telemetry } from './telemetry/run.mjs';

const SUITES = { access, clients, telemetry };
const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`test:service: expected ${Object.keys(SUITES).join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : Object.keys(SUITES)) if (!(await SUITES[name]())) process.exitCode = 1;
