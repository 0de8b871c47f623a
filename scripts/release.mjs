/*
 * One version for all packages and one changelog, kept by hand (docs/VERSIONING.md says why).
 *
 *   node scripts/release.mjs VERSION           writes the version where it stands, and dates what CHANGELOG.md has under "Unreleased"
 *   node scripts/release.mjs --check [vX.Y.Z]  fails unless all places say the same version, and, with a tag, that of the tag with its entry
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const VERSION = /^\d+\.\d+\.\d+$/;
const UNRELEASED = '## Unreleased\n';

/** file → patterns of its places; the first group is what precedes the version */
const PLACES = {
  'package.json': [/^( {2}"version": ")([^"]+)/m],
  'service/src/version.ts': [/^(export const VERSION = ')([^']+)/m],
  'service/package.json': [
    /^( {2}"version": ")([^"]+)/m,
    /^( {4}"logodds": ")([^"]+)/m,
    /^( {4}"@logodds\/registry": ")([^"]+)/m,
  ],
  'registry/package.json': [/^( {2}"version": ")([^"]+)/m, /^( {4}"logodds": ")([^"]+)/m],
  'client/package.json': [/^( {2}"version": ")([^"]+)/m],
  'cli/package.json': [/^( {2}"version": ")([^"]+)/m],
  'package-lock.json': [
    /^( {2}"version": ")([^"]+)/m,
    /^( {6}"name": "logodds",\n {6}"version": ")([^"]+)/m,
    /^( {6}"name": "@logodds\/registry",\n {6}"version": ")([^"]+)/m,
    /^( {6}"name": "@logodds\/registry",[^}]*?"logodds": ")([^"]+)/m,
    /^( {6}"name": "@logodds\/service",\n {6}"version": ")([^"]+)/m,
    /^( {6}"name": "@logodds\/service",[^}]*?"logodds": ")([^"]+)/m,
    /^( {8}"@logodds\/registry": ")(\d[^"]*)/m,
    /^( {6}"name": "@logodds\/client",\n {6}"version": ")([^"]+)/m,
    /^( {6}"name": "@logodds\/cli",\n {6}"version": ")([^"]+)/m,
  ],
  'src/model/manifest.ts': [/^(export const PRODUCER = 'logodds )([^']+)/m],
};
const CHANGELOG = 'CHANGELOG.md';

/** The text of an entry of the changelog; null without one. @param heading  up to the version */
function entry(changelog, heading) {
  const begin = `\n${changelog}`.indexOf(`\n${heading}`);
  if (begin < 0) return null;
  const body = changelog.slice(changelog.indexOf('\n', begin) + 1);
  const end = `\n${body}`.indexOf('\n## ');
  return (end < 0 ? body : body.slice(0, end)).trim();
}

/**
 * What keeps a release from being made, as sentences.
 * @param read  file → its text
 * @param tag  absent: only that all places agree
 */
export function problems(read, tag) {
  const found = [];
  const versions = Object.entries(PLACES).flatMap(([file, patterns]) =>
    patterns.map((pattern) => [file, pattern.exec(read(file))?.[2]]),
  );
  const [[, version]] = versions;
  for (const [file, one] of versions)
    if (one !== version)
      found.push(`${file}: expected version ${version} (of package.json), got ${one}; run npm run release`);
  if (tag === undefined) return found;
  if (tag !== `v${version}`) found.push(`tag: expected v${version} (of package.json), got ${tag}`);
  const changelog = read(CHANGELOG);
  if (!entry(changelog, `## ${version} (`))
    found.push(`${CHANGELOG}: expected an entry "## ${version} (date)", got none; run npm run release`);
  if (entry(changelog, UNRELEASED)) found.push(`${CHANGELOG}: expected nothing under "Unreleased", got text`);
  return found;
}

/**
 * The files of a release.
 * @param date  as 2026-11-29
 * @returns file → its new text
 * @throws a sentence when the version is none, is less than the one before, or nothing is unreleased
 */
export function released(read, version, date) {
  if (!VERSION.test(version ?? '')) throw new Error(`version: expected MAJOR.MINOR.PATCH, got ${version}`);
  const before = JSON.parse(read('package.json')).version;
  const compared = version.localeCompare(before, 'en', { numeric: true });
  if (compared < 0) throw new Error(`version: expected ${before} or greater, got ${version}`);
  const changelog = read(CHANGELOG);
  if (!entry(changelog, UNRELEASED)) throw new Error(`${CHANGELOG}: expected text under "Unreleased", got none`);
  if (entry(changelog, `## ${version} (`) !== null)
    throw new Error(`version: expected one without an entry in ${CHANGELOG}, got ${version}`);
  const files = { [CHANGELOG]: changelog.replace(UNRELEASED, `${UNRELEASED}\n## ${version} (${date})\n`) };
  for (const [file, patterns] of Object.entries(PLACES))
    files[file] = patterns.reduce((text, pattern) => {
      if (!pattern.test(text)) throw new Error(`${file}: expected a version, got none`);
      return text.replace(pattern, `$1${version}`);
    }, read(file));
  return files;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  const read = (file) => readFileSync(file, 'utf8');
  const [first, tag] = process.argv.slice(2);
  try {
    if (first === '--check') {
      const found = problems(read, tag);
      for (const sentence of found) console.error(sentence);
      process.exitCode = found.length > 0 ? 1 : 0;
      if (found.length === 0) console.log(`one version${tag ? `, that of ${tag}` : ''}`);
    } else {
      const files = released(read, first, new Date().toISOString().slice(0, 10));
      for (const [file, text] of Object.entries(files)) writeFileSync(file, text);
      console.log(`${Object.keys(files).join(', ')}: version ${first}`);
      console.log(`next: npm run check, commit, git tag v${first}, git push --tags`);
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
}
