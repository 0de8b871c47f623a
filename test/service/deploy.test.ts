import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { serve } from '../../cli/src/commands/serve.ts';
import { createService } from '../../service/src/index.ts';
import { bytes } from './models.ts';

/*
 * deploy/ against the command and the service: flags, ports and paths. `npm run test:service -- deploy` builds the image and asks validators.
 */

// biome-ignore lint/suspicious/noExplicitAny: documents of many schemas
type Doc = any;

const files = (readdirSync('deploy', { recursive: true }) as string[])
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => join('deploy', name));
const documents = files.flatMap((file) =>
  parseAllDocuments(readFileSync(file, 'utf8')).map((doc) => {
    expect([file, doc.errors, doc.warnings]).toEqual([file, [], []]);
    return { file, doc: doc.toJS() as Doc };
  }),
);
const dockerfile = readFileSync('deploy/Dockerfile', 'utf8');
const instruction = (name: string): string => {
  const [, value] = new RegExp(`^${name} (.*)$`, 'm').exec(dockerfile) ?? [];
  expect(value, name).toBeDefined();
  return value;
};

/** What starts the command: the arguments, the ports that are told, the probes. */
const starts = [
  ...documents.flatMap(({ file, doc }) => {
    const spec = doc.kind === 'ServingRuntime' ? doc.spec : doc.spec?.template?.spec;
    return (spec?.containers ?? []).map(
      ({ args, ports, startupProbe, livenessProbe, readinessProbe, volumeMounts }: Doc) => ({
        file,
        args,
        ports: ports.map(({ containerPort }: Doc) => containerPort),
        paths: [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet.path),
        probed: [startupProbe, livenessProbe, readinessProbe].map(
          ({ httpGet: { port } }) =>
            ports.find(({ name }: Doc) => name === port)?.containerPort ?? port ?? ports[0].containerPort,
        ),
        mounted: volumeMounts?.map(({ mountPath }: Doc) => mountPath) ?? ['/mnt/models'],
      }),
    );
  }),
  {
    file: 'deploy/Dockerfile',
    args: JSON.parse(instruction('CMD')) as string[],
    ports: instruction('EXPOSE').split(' ').map(Number),
    paths: [/127\.0\.0\.1:\d+([^']+)/.exec(dockerfile)![1]],
    probed: [Number(/127\.0\.0\.1:(\d+)/.exec(dockerfile)![1])],
    mounted: [instruction('VOLUME')],
  },
];

/** flag → whether it takes a value, and its default, which may stand in its text */
const FLAGS = new Map(
  serve.options.map(([flags, text, more]) => {
    const [name, value] = flags.split(' ');
    return [name, { takes: value !== undefined, default: more?.default ?? /\(default: (.*)\)$/.exec(text)?.[1] }];
  }),
);

/** Arguments as the command reads them. */
function read(args: readonly string[]) {
  const models: string[] = [];
  const given = new Map<string, string>();
  expect(args[0]).toBe('serve');
  for (let i = 1; i < args.length; i++) {
    if (!args[i].startsWith('-')) {
      models.push(args[i]);
      continue;
    }
    const flag = FLAGS.get(args[i]);
    expect(flag, args[i]).toBeDefined();
    given.set(args[i], flag!.takes ? args[++i] : '');
  }
  const said = (flag: string) => given.get(flag) ?? FLAGS.get(flag)!.default;
  const ports = [said('--port'), ...(given.has('--no-grpc') ? [] : [said('--grpc-port')])].map(Number);
  return { models, given, ports };
}

test('the command is started by an image and three manifests', () => {
  expect(starts.map(({ file }) => file).sort()).toEqual([
    'deploy/Dockerfile',
    'deploy/knative/flights.yaml',
    'deploy/kserve/runtime.yaml',
    'deploy/kubernetes/base/deployment.yaml',
  ]);
});

test.each(starts)(
  '$file: flags are those of the command, ports those that it listens at',
  ({ args, ports, probed, mounted }) => {
    const { models, given, ports: listening } = read(args);
    expect(ports).toEqual(listening);
    for (const port of probed) expect(port).toBe(listening[0]);
    // others reach a container by its address alone
    expect(given.get('--host')).toBe('0.0.0.0');
    expect(models).toHaveLength(1);
    expect(mounted.some((path: string) => models[0].replace(/^.*=/, '').startsWith(path))).toBe(true);
  },
);

test.each(starts)(
  '$file: the service answers at the paths that are probed, and is not ready while it drains',
  async ({ paths }) => {
    const service = createService({ models: [{ name: 'codes', model: bytes.codes }] });
    const ask = async (path: string) => (await service.fetch(new Request(`http://localhost${path}`))).status;
    for (const path of paths) expect([path, await ask(path)]).toEqual([path, 200]);
    await service.drain();
    expect(await ask(paths.at(-1))).toBe(503);
    for (const path of paths.slice(0, -1)) expect([path, await ask(path)]).toEqual([path, 200]);
  },
);

test('selectors are the labels of the pods, and the metrics are where they are said to be', async () => {
  const of = (kind: string) =>
    documents.find(({ file, doc }) => file.startsWith('deploy/kubernetes/') && doc.kind === kind)!.doc;
  const { metadata, spec } = of('Deployment').spec.template;
  const { labels, annotations } = metadata;
  expect(Object.keys(labels)).not.toEqual([]);
  for (const selected of [
    of('Deployment').spec.selector.matchLabels,
    of('PodDisruptionBudget').spec.selector.matchLabels,
    of('NetworkPolicy').spec.podSelector.matchLabels,
    of('Service').spec.selector,
    spec.topologySpreadConstraints[0].labelSelector.matchLabels,
  ])
    expect(selected).toEqual(labels);
  expect(of('HorizontalPodAutoscaler').spec.scaleTargetRef.name).toBe(of('Deployment').metadata.name);
  const response = await createService().fetch(new Request(`http://localhost${annotations['prometheus.io/path']}`));
  expect([response.status, annotations['prometheus.io/port']]).toEqual([200, String(FLAGS.get('--port')!.default)]);
  const [{ ports }] = spec.containers;
  const names = ports.map(({ name }: Doc) => name);
  expect(of('Service').spec.ports.map(({ targetPort }: Doc) => targetPort)).toEqual(names);
  for (const { ports: open } of of('NetworkPolicy').spec.ingress)
    for (const { port } of open) expect(names).toContain(port);
});

test('a pod has time to answer what has come, after its pause', () => {
  const { spec } = documents.find(({ doc }) => doc.kind === 'Deployment')!.doc.spec.template;
  const [{ lifecycle }] = spec.containers;
  const grace = Number(FLAGS.get('--grace')?.default ?? 30);
  expect(spec.terminationGracePeriodSeconds - lifecycle.preStop.sleep.seconds).toBeGreaterThanOrEqual(grace);
});
