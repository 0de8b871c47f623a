// deploy/ as its README says: every command of it, by the same tools or by those that do the same without a daemon or a cluster.
//   npm run test:service -- deploy
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Ajv from 'ajv';
import { loadModel } from 'logodds';
import { parseAllDocuments } from 'yaml';
import { base, build, buildah, root, run, validators } from './setup.mjs';

const MOST_BYTES = 120_000_000;

/** The lines of the README that a shell runs. */
const commands = [...readFileSync(join(root, 'deploy/README.md'), 'utf8').matchAll(/```sh\n(.*?)```/gs)].flatMap(
  ([, text]) => text.trim().split('\n'),
);
const documentsOf = (text) => parseAllDocuments(text).map((doc) => doc.toJS());

let failed = 0;
async function check(name, work) {
  try {
    await work();
    console.log(`  ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`  FAIL  ${name}\n${error.stack ?? error}`);
  }
}

/** A schema of a CRD that refuses what the API server would drop: fields that it does not name. */
function closed(schema) {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen =
    copy['x-kubernetes-preserve-unknown-fields'] || !copy.properties || copy.additionalProperties !== undefined;
  return isOpen ? copy : { ...copy, additionalProperties: false };
}

/** What checks an object of KServe. */
function kserve(crds, { apiVersion, kind }) {
  const file = `serving.kserve.io_${kind.toLowerCase()}s.yaml`;
  const [crd] = documentsOf(readFileSync(join(crds, file), 'utf8'));
  const { schema } = crd.spec.versions.find(({ name }) => `serving.kserve.io/${name}` === apiVersion);
  const valid = new Ajv({ strict: false, allErrors: true, validateFormats: false, logger: false }).compile(
    closed(schema.openAPIV3Schema),
  );
  return (object) => {
    // of metadata a CRD says nothing
    valid({ ...object, metadata: undefined });
    return valid.errors ?? [];
  };
}

/** The class of Knative's Service, made from its CRD. */
async function knativeService() {
  const path = join(build, 'node_modules/@kubernetes-models/knative/serving.knative.dev/v1/Service.js');
  return (await import(pathToFileURL(path).href)).Service;
}

async function manifests() {
  const { hadolint, kubectl, validate, crds } = validators();
  const Service = await knativeService();
  const folder = join(build, 'checkout');
  rmSync(folder, { recursive: true, force: true });
  for (const part of ['deploy', 'examples/page']) cpSync(join(root, part), join(folder, part), { recursive: true });
  rmSync(join(folder, 'deploy/kubernetes/flights/flights.safetensors'), { force: true });
  /** Whether Kubernetes' own schemas have all that is in a text. */
  const isStrict = (text) => {
    const { status } = spawnSync(validate, ['--strict', '-'], { input: text, stdio: ['pipe', 'ignore', 'ignore'] });
    assert.ok(status === 0 || status === 1, `kubernetes-validate ended with ${status}`);
    return status === 0;
  };
  const applied = new Set();

  await check('hadolint finds nothing in the Dockerfile', () => run(hadolint, [join(root, 'deploy/Dockerfile')]));
  for (const command of commands.filter((line) => /^(cp|kubectl) /.test(line))) {
    await check(command, () => {
      const [tool, ...args] = command.split(' ');
      if (tool === 'cp') return run('cp', args, { cwd: folder });
      if (args[0] === 'create') {
        const made = run(kubectl, [...args, '--dry-run=client', '--output=yaml'], { cwd: folder });
        assert.ok(isStrict(made));
        assert.deepEqual(Object.keys(documentsOf(made)[0].binaryData), ['flights.safetensors']);
        return;
      }
      const [, flag, path] = args;
      assert.equal(args[0], 'apply');
      applied.add(path);
      if (flag === '-k') {
        const text = run(kubectl, ['kustomize', path], { cwd: folder });
        assert.ok(isStrict(text));
        checkRendered(documentsOf(text), readFileSync(join(folder, 'examples/page/flights.safetensors')));
        assert.ok(!isStrict(text.replace('minReplicas: 2', 'minReplicas: two')));
        assert.ok(!isStrict(text.replace('maxUnavailable: 1', 'maxAvailable: 1')));
        return;
      }
      for (const object of documentsOf(readFileSync(join(folder, path), 'utf8')))
        checkObject(object, { crds, Service });
    });
  }
  await check('every manifest is applied by a command of the README', () => {
    const folders = ['kserve', 'knative'].map((name) => `deploy/${name}`);
    const files = folders.flatMap((name) => readdirSync(join(root, name)).map((file) => `${name}/${file}`));
    assert.deepEqual([...applied].sort(), [...files, 'deploy/kubernetes/flights'].sort());
  });
}

/** What kustomize made: the model is in the ConfigMap that the pods mount, byte by byte. */
function checkRendered(objects, model) {
  const of = (kind) => objects.find((object) => object.kind === kind);
  const { volumes, containers } = of('Deployment').spec.template.spec;
  assert.equal(volumes[0].configMap.name, of('ConfigMap').metadata.name);
  assert.match(of('ConfigMap').metadata.name, /^models-\w{10}$/);
  assert.ok(Buffer.from(of('ConfigMap').binaryData['flights.safetensors'], 'base64').equals(model));
  assert.match(containers[0].image, /^registry\.example\.com\/logodds:/);
}

function checkObject(object, { crds, Service }) {
  if (object.apiVersion.startsWith('serving.knative.dev/')) {
    new Service(object).validate();
    const wrong = structuredClone(object);
    wrong.spec.template.spec.timeoutSeconds = 'long';
    assert.throws(() => new Service(wrong).validate(), /timeoutSeconds/);
    return;
  }
  const errors = kserve(crds, object);
  assert.deepEqual(errors(object), []);
  assert.notDeepEqual(errors({ ...object, spec: { ...object.spec, wrong: true } }), []);
}

/** The file system of the image, where it can be run from. */
function unpacked(image) {
  const container = buildah('from', image);
  const rootfs = buildah('mount', container);
  // what a container runtime lays over an image
  mkdirSync(join(rootfs, 'proc'), { recursive: true });
  return { container, rootfs };
}

/**
 * Runs the image as a container without a daemon does: namespaces of its own for processes, mounts and the network; its file system read-only; its user.
 * @returns the process, and how to run something beside it
 */
async function container({ rootfs, config, models }) {
  const env = Object.fromEntries(config.Env.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const [user, group] = config.User.split(':');
  const inside = ['/usr/sbin/chroot', `--userspec=${user}:${group}`, '--groups=', rootfs];
  const script = `
    ip link set lo up
    mount --bind "$0" "$0" && mount --bind "$1" "$0/models" && mount -o remount,bind,ro "$0" && mount -t proc proc "$0/proc"
    shift; exec env -i ${config.Env.map((line) => `'${line}'`).join(' ')} "$@"`;
  const outer = spawn(
    'unshare',
    [
      '--net',
      '--pid',
      '--mount',
      '--fork',
      '--kill-child',
      'sh',
      '-ec',
      script,
      rootfs,
      models,
      ...inside,
      ...config.Entrypoint,
      ...config.Cmd,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const ended = new Promise((resolve) => outer.once('exit', resolve));
  let code;
  ended.then((found) => {
    code = found;
  });
  /** Asks until there is an answer. @throws where the process ends before */
  const until = async (ask) => {
    for (;;) {
      if (code !== undefined) throw new Error(`it ended with ${code}`);
      const answer = ask();
      if (answer) return answer;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const pid = await until(() => Number(readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8')));
  const beside = ['--target', String(pid), '--net', '--mount'];
  const reach = (command) =>
    spawnSync('/usr/bin/nsenter', ['--target', String(pid), '--net', 'sh', '-c', command], { encoding: 'utf8' });
  await until(() => reach('curl --silent --fail http://127.0.0.1:8080/v2/health/ready').status === 0);
  return {
    pid,
    ended,
    /** as `docker exec` */
    exec: (...args) => spawnSync('/usr/bin/nsenter', [...beside, ...inside, ...args], { encoding: 'utf8', env }),
    /** as something outside that reaches its ports */
    reach,
    kill: () => outer.kill('SIGKILL'),
  };
}

async function image() {
  const [build_, run_, curl] = ['docker build ', 'docker run ', 'curl '].map((start) => {
    const line = commands.find((command) => command.startsWith(start));
    assert.ok(line, `deploy/README.md: expected a command ${start}`);
    return line;
  });
  const name = 'localhost/logodds';
  const npmrc = join(homedir(), '.npmrc');
  const args = build_.slice('docker build '.length).replace('-t logodds', `-t ${name}`).split(' ');
  await check(build_, () => {
    const secret = existsSync(npmrc) ? ['--secret', `id=npmrc,src=${npmrc}`] : [];
    buildah('bud', '--quiet', '--format', 'docker', '--build-arg', `BASE=${base()}`, ...secret, ...args);
  });
  const config = JSON.parse(buildah('inspect', '--type', 'image', name)).Docker.config;
  const { container: made, rootfs } = unpacked(name);
  const archive = join(build, 'image.tar');
  rmSync(archive, { force: true });
  buildah('push', '--quiet', name, `oci-archive:${archive}`);
  const size = run('find', [rootfs, '-type', 'f', '-printf', '%s\n'])
    .trim()
    .split('\n')
    .reduce((sum, bytes) => sum + Number(bytes), 0);
  const [unpackedMb, packedMb] = [size, statSync(archive).size].map((bytes) => Math.round(bytes / 1e6));
  await check(`it has at most ${MOST_BYTES / 1e6} MB: ${unpackedMb}, ${packedMb} to pull`, () => {
    assert.ok(size <= MOST_BYTES);
    const told = /: (\d+) MB, (\d+) MB to pull/.exec(readFileSync(join(root, 'deploy/README.md'), 'utf8'));
    assert.ok(Math.abs(told[1] - unpackedMb) <= 2 && Math.abs(told[2] - packedMb) <= 2, 'the README has other figures');
  });
  await check('there is no shell in it, and scanners find its packages', () => {
    assert.deepEqual(readdirSync(join(rootfs, 'usr/local/bin')), ['node']);
    assert.ok(!existsSync(join(rootfs, 'bin')));
    for (const file of readdirSync(join(rootfs, 'var/lib/dpkg/status.d')))
      assert.match(
        readFileSync(join(rootfs, 'var/lib/dpkg/status.d', file), 'utf8'),
        /^Package: .*^Status: install ok/ms,
      );
    assert.ok(existsSync(join(rootfs, 'var/lib/dpkg/status.d/libc6')));
  });
  const [, folder, mounted] = /-v "\$PWD\/([^:]+):([^:]+):ro"/.exec(run_);
  assert.deepEqual([mounted, /--read-only/.test(run_), /-p 8080:8080/.test(run_)], ['/models', true, true]);
  const running = await container({ rootfs, config, models: join(root, folder) });
  try {
    await check(`${run_}: it runs as its user, with a file system that it cannot write`, () => {
      const status = readFileSync(`/proc/${running.pid}/status`, 'utf8');
      assert.match(status, /^Uid:\t65532\t65532\t65532\t65532$/m);
      assert.match(status, /^Gid:\t65532\t65532\t65532\t65532$/m);
      assert.match(status, /^CapEff:\t0+$/m);
      const write = running.exec('node', '-e', "require('fs').writeFileSync('/tmp/x', '')");
      assert.match(write.stderr, /EROFS/);
    });
    await check(curl, () => {
      const { stdout, status } = running.reach(curl.replace('curl ', 'curl --silent --show-error '));
      assert.equal(status, 0);
      const model = loadModel(readFileSync(join(root, folder, 'flights.safetensors')));
      const record = JSON.parse(/-d '([^']+)'/.exec(curl)[1]);
      const { sha256, scores } = JSON.parse(stdout);
      const { logit, probability, label } = model.score(record);
      assert.deepEqual(
        [sha256, scores[0].logit, scores[0].probability, scores[0].label],
        [model.sha256, logit, probability, label],
      );
    });
    const healthy = () => running.exec(...config.Healthcheck.Test.slice(1)).status;
    await check('its health check says that it is well, and that nobody is there where nobody is', () => {
      assert.equal(healthy(), 0);
      const elsewhere = config.Healthcheck.Test.slice(1).map((part) => part.replace(':8080/', ':8089/'));
      assert.equal(running.exec(...elsewhere).status, 1);
    });
    await check('gRPC listens at its port', () => {
      assert.equal(
        running.exec('node', '-e', "require('net').connect(8081, '127.0.0.1', () => process.exit(0))").status,
        0,
      );
    });
    await check('SIGTERM, as the first process of its namespace: it ends with 0', async () => {
      process.kill(running.pid, 'SIGTERM');
      assert.equal(await running.ended, 0);
    });
  } finally {
    running.kill();
    await running.ended;
    buildah('rm', made);
  }
}

export async function deploy() {
  await manifests();
  await image();
  return failed === 0;
}
