/*
 * Asks the registry for known weaknesses of every package in the lockfiles: `node scripts/audit.mjs`.
 *
 * High or critical ones in what is shipped (the library, the command) are a failure; others, in what tests and benchmarks use, are listed. A registry
 * that gives no answer is said and is no failure: then nothing is known.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** folder of a lockfile, what of it is asked, whether it is shipped */
const ASKED = [
  ['.', ['--omit=dev'], true],
  ['.', [], false],
  ['bench', [], false],
  ['test/bundlers', [], false],
  ['test/examples', [], false],
  ['test/runtimes', [], false],
];
const SEVERE = ['high', 'critical'];

/** The weaknesses by severity and the packages that have them; null without an answer. */
function ask(folder, options) {
  const { stdout } = spawnSync('npm', ['audit', '--json', '--package-lock-only', ...options], {
    cwd: `${root}${folder}`,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    timeout: 60_000,
  });
  try {
    const { metadata, vulnerabilities } = JSON.parse(stdout);
    return metadata?.vulnerabilities ? Object.values(vulnerabilities) : null;
  } catch {
    return null;
  }
}

let failed = false;
for (const [folder, options, shipped] of ASKED) {
  const found = ask(folder, options);
  const what = `${folder}${shipped ? ', shipped' : ''}`;
  if (found === null) {
    console.log(`${what}: not known, the registry gave no answer`);
    continue;
  }
  const severe = found.filter(({ severity }) => SEVERE.includes(severity));
  failed ||= shipped && severe.length > 0;
  const names = severe.map(({ name, severity }) => `${name} (${severity})`).join(', ');
  console.log(
    `${what}: ${found.length} known weaknesses, ${severe.length} of them high or critical${names && `: ${names}`}`,
  );
}
process.exit(failed ? 1 : 0);
