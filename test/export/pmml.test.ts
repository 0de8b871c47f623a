import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pmml } from '../../cli/src/jobs/export/targets/pmml.ts';
import { sweep } from '../full.ts';
import { type Case, cases, INTEROP, optionsOf } from './kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = `
import json
from pypmml import Model, PMMLContext
for line in open("cases.jsonl", encoding="utf-8"):
    case = json.loads(line)
    model = Model.fromFile(case["file"])
    found = []
    for record in case["records"]:
        result = model.predict({name: value for name, value in record.items()})
        p = [result["probability(%s)" % label] for label in case["classes"]]
        found.append({"p": [None if one is None or one != one else one for one in p], "label": result["predicted_label"]})
    print(json.dumps(found))
PMMLContext.getOrCreate().shutdown()
`;

interface Found {
  /** null: none */
  readonly p: readonly (number | null)[];
  readonly label: string | null;
}

const BOUND = 2e-14;

/** Engines form e^z as it is written; of one z for each class it overflows. */
const isFar = (score: Case['scores'][number]) =>
  score !== null && score.logits !== undefined && [...score.logits].some((z) => !(Math.abs(z) < 700));

function check({ name, plan, scores, records }: Case, asked: readonly number[], found: readonly Found[]): void {
  const { classes, positive } = plan;
  for (const [row, i] of asked.entries()) {
    const score = scores[i];
    const where = `${name}, record ${i} ${JSON.stringify(records[i])}`;
    const { p, label } = found[row];
    if (score === null) {
      expect([where, p.every((one) => one === null)]).toEqual([where, true]);
      continue;
    }
    const wanted =
      positive === null
        ? [...score.probabilities!]
        : classes.map((one) => (one === positive ? score.probability : 1 - score.probability));
    for (const [k, one] of wanted.entries()) expect(Math.abs(one - p[k]!), where).toBeLessThanOrEqual(BOUND);
    const near = [...wanted].sort((a, b) => b - a);
    const isClear =
      positive === null ? near[0] - near[1] > BOUND : Math.abs(score.probability - plan.decision.threshold) > BOUND;
    if (isClear) expect([where, label]).toEqual([where, score.label]);
  }
}

test.runIf(INTEROP)(
  'a document of PMML gives the scores of Model.score, and none where it refuses',
  () => {
    const taken: { one: Case; asked: number[] }[] = [];
    const refused = new Set<string>();
    let text = '';
    for (const one of cases(sweep(40, 200)).taken) {
      const { plan, records, scores } = one;
      let file: string | Uint8Array;
      try {
        [{ text: file }] = pmml.print(() => plan, optionsOf(one, 'model'));
      } catch (error) {
        refused.add(/expected (.*?)[,;]/.exec((error as Error).message)![1]);
        continue;
      }
      const path = `m${taken.length}.pmml`;
      writeFileSync(join(folder, path), file);
      const asked = [...records.keys()].filter(
        (i) => !isFar(scores[i]) && Object.values(records[i]).every((cell) => cell !== ''),
      );
      text += `${JSON.stringify({ file: path, classes: plan.classes, records: asked.map((i) => records[i]) })}\n`;
      taken.push({ one, asked });
    }
    writeFileSync(join(folder, 'cases.jsonl'), text);
    writeFileSync(join(folder, 'program.py'), PROGRAM);
    const lines = execFileSync(process.env['LOGODDS_PYTHON'] ?? 'python3', ['program.py'], {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    }).split('\n');
    for (const [i, { one, asked }] of taken.entries()) check(one, asked, JSON.parse(lines[i]));
    expect(taken.length).toBeGreaterThan(20);
    expect([...refused].sort()).toEqual([
      'a kind of feature that PMML has',
      'a softmax of several classes',
      'characters that XML has',
      'levels without blanks at their ends',
      'none',
      'one without a review',
      'one without costs',
    ]);
  },
  600_000,
);
