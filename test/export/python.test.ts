import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { python } from '../../cli/src/jobs/export/targets/python.ts';
import { sweep } from '../full.ts';
import { cases, compare, INTEROP, optionsOf } from './kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = `
import importlib.util, json, struct, sys
def hexed(x):
    return "nan" if x != x else struct.pack(">d", x).hex()
for line in open("cases.jsonl", encoding="utf-8"):
    case = json.loads(line)
    spec = importlib.util.spec_from_file_location("m", case["file"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for record in case["records"]:
        try:
            s = module.score(record)
        except module.RecordError:
            print("refused")
            continue
        every = list(s.get("logits", ())) + list(s.get("probabilities", ()))
        parts = [s["logit"], s["probability"], s["defaulted"], s["outOfRange"]]
        print(*[hexed(x) for x in parts], int(s.get("review", False)), *[hexed(x) for x in every], json.dumps(s["label"], ensure_ascii=True))
`;

test.runIf(INTEROP)(
  'a module of Python gives the bits of Model.score, and refuses what it refuses',
  () => {
    const { taken } = cases(sweep(40, 400));
    writeFileSync(
      join(folder, 'cases.jsonl'),
      taken
        .map((one, i) => {
          const { plan, records } = one;
          const [{ text }] = python.print(() => plan, optionsOf(one, 'model'));
          writeFileSync(join(folder, `m${i}.py`), text);
          const given = records.map((record) =>
            Object.fromEntries(
              plan.inputs.map(({ name, holds }) => [
                name,
                holds === 'time' && typeof record[name] === 'number'
                  ? new Date(record[name]).toISOString()
                  : record[name],
              ]),
            ),
          );
          // JSON.stringify writes 0 for −0
          const text2 = JSON.stringify({ file: `m${i}.py`, records: given }, (_, value) =>
            Object.is(value, -0) ? '−0' : value,
          );
          return `${text2.replaceAll('"−0"', '-0.0')}\n`;
        })
        .join(''),
    );
    writeFileSync(join(folder, 'program.py'), PROGRAM);
    const lines = execFileSync('python3', ['program.py'], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 }).split(
      '\n',
    );
    expect(compare(taken, lines)).toBe(taken.reduce((sum, { scores }) => sum + scores.length, 0));
  },
  300_000,
);
