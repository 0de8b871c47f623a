// deploy/pipelines/ by the linter of each platform, and the JUnit XML of a gate by a parser that is not ours and the schema of Jenkins.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { venv } from '../venv.mjs';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
const files = join(root, 'deploy/pipelines');
/** outside the checkout, for all of them */
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'logodds');
const ACTIONLINT = '1.7.7';
const GITLAB_CI_LOCAL = '4.61.0';
/** its source has the schema of Jenkins, junit-10.xsd, by which it checks itself */
const PYTEST = '8.4.2';

const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 2], maxBuffer: 1 << 26, ...options });

function actionlint() {
  const folder = join(cache, `actionlint-${ACTIONLINT}`);
  const command = join(folder, 'actionlint');
  if (!existsSync(command))
    run('go', ['install', `github.com/rhysd/actionlint/cmd/actionlint@v${ACTIONLINT}`], {
      env: { ...process.env, GOBIN: folder },
    });
  return command;
}

function gitlabCiLocal() {
  const folder = join(cache, `gitlab-ci-local-${GITLAB_CI_LOCAL}`);
  const command = join(folder, 'node_modules/.bin/gitlab-ci-local');
  if (!existsSync(command)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{}');
    run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `gitlab-ci-local@${GITLAB_CI_LOCAL}`], {
      cwd: folder,
    });
  }
  return command;
}

/** The schema by which Jenkins takes JUnit XML. @returns its path */
function jenkinsSchema(python) {
  const folder = join(cache, `pytest-${PYTEST}-source`);
  const file = join(folder, `pytest-${PYTEST}/testing/example_scripts/junit-10.xsd`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--no-binary', 'pytest', '--dest', folder];
    run(python, [...pip, `pytest==${PYTEST}`]);
    run('tar', ['-xzf', join(folder, `pytest-${PYTEST}.tar.gz`), '-C', folder]);
  }
  return file;
}

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

/** A repository of git with the file of GitLab, as its runner wants it. */
function gitlab(folder, text) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, '.gitlab-ci.yml'), text);
  const git = (...args) =>
    run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: folder });
  git('init', '-q', '-b', 'main');
  git('remote', 'add', 'origin', 'https://gitlab.example.com/team/model.git');
  git('add', '-A');
  git('commit', '-qm', 'model');
  return (...args) =>
    spawnSync(gitlabCiLocal(), args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, CI_DEFAULT_BRANCH: 'main' },
    });
}

export async function pipelines() {
  console.log('pipelines');
  const work = join(tmpdir(), `logodds-pipelines-${process.pid}`);
  mkdirSync(work, { recursive: true });
  try {
    await check(`actionlint ${ACTIONLINT} finds nothing in github.yml, and something where there is`, () => {
      run(actionlint(), ['-no-color', join(files, 'github.yml')]);
      const text = readFileSync(join(files, 'github.yml'), 'utf8');
      for (const [from, to] of [
        ['needs: candidate', 'needs: candidat'],
        ['steps.push.outputs', 'steps.pushed.outputs'],
      ]) {
        assert.ok(text.includes(from));
        const { status } = spawnSync(actionlint(), ['-'], { input: text.replace(from, to) });
        assert.equal(status, 1);
      }
    });

    await check(`gitlab-ci-local ${GITLAB_CI_LOCAL} lists the jobs of gitlab-ci.yml in their order`, () => {
      const text = readFileSync(join(files, 'gitlab-ci.yml'), 'utf8');
      const { status, stdout, stderr } = gitlab(join(work, 'gitlab'), text)('--list-csv-all');
      assert.equal(status, 0, stderr);
      const jobs = stdout
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => line.split(';'));
      assert.deepEqual(
        jobs.map(([name]) => name),
        ['train', 'gate', 'release', 'promote'],
      );
      const broken = gitlab(join(work, 'broken'), text.replace('needs: [release]', 'needs: [realease]'))('--list');
      assert.notEqual(broken.status, 0);
    });

    const python = venv('pipelines', join(here, 'requirements.txt'));
    const ask = (...args) => JSON.parse(run(python, [join(here, 'check.py'), ...args]));
    await check('hera gives argo.yaml back as it is', () => {
      const { given, back } = ask('argo', join(files, 'argo.yaml'));
      assert.deepEqual(back, given);
      const { templates } = given.spec;
      const called = templates[0].steps.flat().map(({ template }) => template);
      assert.deepEqual(
        called.toSorted(),
        templates
          .slice(1)
          .map(({ name }) => name)
          .toSorted(),
      );
    });

    const schema = jenkinsSchema(python);
    await check('the check of the schema notices what Jenkins and Ant do not take', () => {
      const suite = (attributes, inner) =>
        `<testsuite name="s" errors="0" failures="0" ${attributes}><properties/>${inner}<system-out/><system-err/></testsuite>`;
      const whole = 'tests="1" skipped="0" time="0.1" timestamp="2026-11-30T00:00:00" hostname="localhost"';
      const one = '<testcase classname="c" name="n" time="0"/>';
      for (const [text, jenkins, ant] of [
        [suite(whole, one), 0, 0],
        [suite(whole.replace('tests="1" ', ''), one), 1, 1],
        [suite(whole.replace('time="0.1"', 'time="soon"'), one), 1, 1],
        [suite(whole.replace('00:00:00"', '00:00:00Z"'), one), 0, 1],
        [suite(whole, one.replace('name="n" ', '')), 1, 1],
        [suite(whole, '<case/>'), 1, 1],
      ]) {
        writeFileSync(join(work, 'by-hand.xml'), text);
        const found = ask('junit', join(work, 'by-hand.xml'), schema);
        assert.deepEqual([Math.sign(found.invalid.length), Math.sign(found.ant.length)], [jenkins, ant], text);
      }
    });

    await check('junitparser and the schemas take what a gate wrote: passed, not passed, ended with an error', () => {
      const logodds = (...args) =>
        spawnSync(process.execPath, [join(root, 'cli/bin/logodds.js'), ...args], { cwd: work, encoding: 'utf8' });
      cpSync(join(root, 'examples/page/flights.safetensors'), join(work, 'flights.safetensors'));
      const places = ['ORD', 'BOS', 'ATL', 'DFW'];
      const target = JSON.parse(logodds('inspect', 'flights.safetensors', '--json').stdout);
      const [one, other] = target.classes;
      const lines = Array.from({ length: 600 }, (_, i) =>
        [i % 24, ['Mon', 'Fri'][i % 2], places[i % 4], places[(i + 1) % 4], 300 + i, i % 5 === 0 ? one : other].join(
          ',',
        ),
      );
      writeFileSync(join(work, 'data.csv'), `hour,weekday,origin,destination,distance,label\n${lines.join('\n')}\n`);
      const gate = (rules, data = 'data.csv') => {
        writeFileSync(join(work, 'rules.json'), JSON.stringify({ rules }));
        const { status, stderr } = logodds(
          ...['gate', 'flights.safetensors', '--against', 'flights.safetensors', '--data', data, '--target', 'label'],
          ...['--rules', 'rules.json', '--junit', 'gate.xml'],
        );
        assert.ok(existsSync(join(work, 'gate.xml')), stderr);
        const found = ask('junit', join(work, 'gate.xml'), schema);
        assert.deepEqual([found.invalid, found.ant], [[], []]);
        return { status, ...found };
      };
      const passed = gate({ auc: {}, coefficients: { feature: 'none', sign: 'zero', optional: true } });
      assert.deepEqual([passed.status, passed.tests, passed.failures, passed.errors, passed.skipped], [0, 4, 0, 0, 1]);
      const broken = gate({ size: { mostBytes: 1 }, coefficients: { feature: '<&">', sign: 'zero' } });
      assert.deepEqual([broken.status, broken.failures, broken.errors], [1, 2, 0]);
      assert.ok(broken.cases.some(([, name]) => name === 'coefficients: <&">'));
      const error = gate({}, 'none.csv');
      assert.deepEqual([error.status, error.errors, error.cases[0][2]], [1, 1, ['Error']]);
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return failed === 0;
}
