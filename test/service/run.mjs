// Suites of the service that need more than the library:
//   npm run test:service -- access                               a real issuer of OpenID Connect, a real Open Policy Agent
//   npm run test:service -- alerts                               what slo export writes, in a real Prometheus and Alertmanager
//   npm run test:service -- browser                              the pages, in Chromium
//   npm run test:service -- client                               our own client: on every runtime, and asking servers of others
//   npm run test:service -- clients                              official clients
//   npm run test:service -- deploy                               the image and the manifests of deploy/
//   npm run test:service -- first                                the first request of the README, to the model that npm start leaves
//   npm run test:service -- host                                 10,000 idle connections, the time of a start
//   npm run test:service -- hosts                                one table of requests on every host
//   npm run test:service -- load [--seconds 60] [--swaps 1000]   overload, and models that are swapped under load
//   npm run test:service -- mlflow                               a real MLflow server, and MLflow's own client at our registry
//   npm run test:service -- notify                               a real Alertmanager, told of rollouts that guards have ended
//   npm run test:service -- pipelines                            the pipelines of deploy/, by the linter of each platform
//   npm run test:service -- programs                             the service inside Express, Fastify, hono, Deno and Bun
//   npm run test:service -- registry-s3                          a registry in buckets of real servers
//   npm run test:service -- schemathesis                         requests made of /openapi.json
//   npm run test:service -- signing                              model-signing of PyPI: its signatures and ours, each read by the other; on workerd too
//   npm run test:service -- soak [--seconds 600]                 half load for long
//   npm run test:service -- stores                               data, models and outputs in buckets of S3, Azure and Google Cloud Storage
//   npm run test:service -- telemetry                            receivers of traces and metrics, a full disk, a killed process
import { parseArgs } from 'node:util';
import { access } from './access/run.mjs';
import { alerts } from './alerts/run.mjs';
import { browser } from './browser/run.mjs';
import { client } from './client/run.mjs';
import { clients } from './clients/run.mjs';
import { deploy } from './deploy/run.mjs';
import { first } from './first/run.mjs';
import { host } from './host/run.mjs';
import { hosts } from './hosts/run.mjs';
import { load, soak } from './load/run.mjs';
import { mlflow } from './mlflow/run.mjs';
import { notify } from './notify/run.mjs';
import { pipelines } from './pipelines/run.mjs';
import { programs } from './programs/run.mjs';
import { registryS3 } from './registry-s3/run.mjs';
import { schemathesis } from './schemathesis/run.mjs';
import { signing } from './signing/run.mjs';
import { stores } from './stores/run.mjs';
import { telemetry } from './telemetry/run.mjs';

const SUITES = {
  access,
  alerts,
  browser,
  client,
  clients,
  deploy,
  first,
  host,
  hosts,
  load,
  mlflow,
  notify,
  pipelines,
  programs,
  'registry-s3': registryS3,
  schemathesis,
  signing,
  soak,
  stores,
  telemetry,
};
const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, swaps: { type: 'string' } },
});
const options = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]));
const unknown = names.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`test:service: expected ${Object.keys(SUITES).join(', ')}, got ${unknown.join(', ')}`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : Object.keys(SUITES))
  if (!(await SUITES[name](options))) process.exitCode = 1;
