// Proves the packed library on every runtime: the same model files and rows, the bits compared with the committed ones.
//   node test/runtimes/run.mjs                     all of them
//   node test/runtimes/run.mjs deno bun            these
//   node test/runtimes/run.mjs --without firefox   all but these
//   node test/runtimes/run.mjs --list
import { parseArgs } from 'node:util';
import { conformanceSets, prepare, stageSets } from './setup.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean' }, without: { type: 'string', multiple: true } },
});
prepare();
const { ENTRIES, RUNTIMES } = await import('./runtimes.mjs');
const known = Object.keys(RUNTIMES);
const without = (values.without ?? []).flatMap((names) => names.split(','));
for (const name of [...positionals, ...without]) {
  if (!known.includes(name)) {
    console.error(`${name}: expected one of ${known.join(', ')}`);
    process.exit(2);
  }
}
const names = (positionals.length > 0 ? positionals : known).filter((name) => !without.includes(name));
if (values.list) {
  for (const name of names) {
    for (const { name: circumstance } of RUNTIMES[name].circumstances) console.log([name, circumstance].join('\t'));
  }
  process.exit();
}

/** entries whose engines have f32 */
const WITH_F32 = ['full', 'stages', 'threads'];

/** way → { part: values }, of plain models, and of those that need stages */
const expected = { plain: {}, stages: {} };
for (const { name, logits, probabilities, labels, refused } of conformanceSets()) {
  putScores(expected.plain, name, { logits, probabilities, labels });
  if (refused)
    expected.plain[`${name}, refused`] = { records: refused.map(() => 'ERR_RECORD'), tables: ['ERR_RECORD'] };
}
for (const { name, answers } of stageSets()) {
  const { record, intervals, ...others } = answers;
  putScores(expected.stages, name, record);
  if (intervals) {
    const { low, high, stdError } = intervals;
    Object.assign(others, { intervals, 'table intervals': { low, high, stdError } });
  }
  for (const [way, parts] of Object.entries(others)) expected.stages[`${name}, ${way}`] = parts;
}
// f32 has no committed bits: every runtime and both engines have to give those of this Node's WebAssembly
const first = await RUNTIMES.node.circumstances[0].run();
for (const [ways, { answers, error }] of [
  [expected.plain, first.full],
  [expected.stages, first.stages],
]) {
  if (error) throw new Error(error);
  for (const way of Object.keys(ways).filter((one) => one.endsWith(', record'))) {
    const set = way.slice(0, -', record'.length);
    for (const engine of ['auto', 'js']) ways[`${set}, ${engine} f32`] = answers[`${set}, auto f32`];
  }
}
let passed = 0;
const failures = [];
print(['runtime', 'version', 'circumstance', 'engine', 'entries', 'scores', 'equal bits', 'ms']);
print(['---', '---', '---', '---', '---', '---:', '---', '---:']);

for (const name of names) {
  const { version, circumstances } = RUNTIMES[name];
  let found;
  try {
    found = version();
  } catch (error) {
    fail(name, error.message);
    print([name, 'missing', '', '', '', 0, 'no', 0]);
    continue;
  }
  for (const circumstance of circumstances) await check(name, found, circumstance);
}
for (const failure of failures) console.log(`\n${failure}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

/** Every entry in one circumstance: the engine, the reason for it, the bits. */
async function check(name, version, circumstance) {
  const before = failures.length;
  const good = [];
  let scores = 0;
  let ms = 0;
  let engine = '';
  try {
    const results = await circumstance.run();
    for (const entry of circumstance.entries ?? ENTRIES) {
      const where = [name, circumstance.name, entry].filter(Boolean).join(', ');
      const result = results[entry] ?? { error: 'it gave no result' };
      if (result.error) {
        fail(where, ...result.error.split('\n').slice(0, 4));
        continue;
      }
      engine ||= Object.values(result.engines)[0].name;
      const wrong = [
        ...wrongEngines(entry, result.engines, circumstance),
        ...wrongZone(result, circumstance),
        ...wrongAnswers(result, entry === 'stages' ? expected.stages : expected.plain, WITH_F32.includes(entry)),
      ];
      ms += result.ms;
      scores += Object.values(result.answers).reduce((sum, { logits }) => sum + (logits?.length ?? 0), 0);
      if (wrong.length > 0) fail(where, ...wrong);
      else {
        good.push(entry);
        passed++;
      }
    }
  } catch (error) {
    fail([name, circumstance.name].filter(Boolean).join(', '), error.message);
  }
  const equal = failures.length === before ? 'yes' : 'no';
  print([name, version, circumstance.name, engine, good.join(' '), scores, equal, Math.round(ms)]);
}

/** In which ways the engines of an entry are not those that the circumstance has to give. */
function* wrongEngines(entry, engines, { js, threads }) {
  const { auto } = engines;
  if (['js', 'score', 'bytes', 'stages', 'full'].includes(entry)) {
    if (engines.js?.name !== 'js')
      yield `expected the JavaScript engine where it is asked for, got ${engines.js?.name}`;
  }
  if (entry === 'js') return;
  const wanted = js ? 'js' : 'wasm';
  if (auto.name !== wanted) yield `expected the engine ${wanted}, got ${auto.name}: ${auto.why}`;
  else if (js && !js.test(auto.why)) yield `expected a reason like ${js}, got: ${auto.why}`;
  if (entry === 'threads' && !js && /on 2 threads/.test(auto.why) !== threads) {
    yield `expected ${threads ? 'two threads' : 'one thread'}, got: ${auto.why}`;
  }
}

/** That a circumstance of another time zone is none. */
function* wrongZone({ minutes }, { minutes: wanted = minutes }) {
  if (minutes !== wanted) yield `expected local time ${wanted} minutes behind UTC, got ${minutes}`;
}

/**
 * The first value of each part of each way whose bits are not those expected.
 * @param ways  expected; those of an engine that the entry does not have are not asked for, nor f32 where it has none
 */
function* wrongAnswers({ answers, engines }, ways, f32) {
  const asked = Object.keys(ways).filter((way) => {
    const engine = /, (auto|js) f\d\d$/.exec(way)?.[1];
    return (engine === undefined || engine in engines) && (f32 || !way.endsWith(' f32'));
  });
  const found = Object.keys(answers).length;
  if (found !== asked.length) yield `expected answers in ${asked.length} ways, got ${found}`;
  for (const way of asked) {
    for (const [part, wanted] of Object.entries(ways[way])) {
      const values = answers[way]?.[part] ?? [];
      const at = wanted.findIndex((value, i) => value !== values[i]);
      if (at >= 0 || values.length !== wanted.length) {
        yield `${way}, ${part}: expected ${wanted[at]} at ${at}, got ${values[at]} (${values.length} values of ${wanted.length})`;
      }
    }
  }
}

/** The scores of a set in the ways that must give the same bits. */
function putScores(ways, name, scores) {
  for (const way of ['record', 'auto f64', 'js f64']) ways[`${name}, ${way}`] = scores;
}

function fail(where, ...reasons) {
  failures.push(`${where}\n  ${reasons.join('\n  ')}`);
}

function print(cells) {
  console.log(`| ${cells.join(' | ')} |`);
}
