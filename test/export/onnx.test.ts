import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { onnx } from '../../cli/src/jobs/export/targets/onnx.ts';
import { sweep } from '../full.ts';
import { type Case, cases, INTEROP, isTyped, optionsOf } from './kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Checks each file by ONNX's own checker, and runs it on all its records at once, and on the first one alone. */
const PROGRAM = `
import json, sys
import numpy as np, onnx, onnxruntime
for line in open("cases.jsonl", encoding="utf-8"):
    case = json.loads(line)
    onnx.checker.check_model(case["file"], full_check=True)
    session = onnxruntime.InferenceSession(case["file"], providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    def run(records):
        feeds = {}
        for one, holds in zip(session.get_inputs(), case["holds"]):
            cells = [record[one.name] for record in records]
            if holds == "text":
                feeds[one.name] = np.array([["" if cell is None else cell] for cell in cells], dtype=object)
            else:
                feeds[one.name] = np.array([[np.nan if cell is None else float(cell)] for cell in cells], dtype=np.float64)
        return session.run(None, feeds)
    found = run(case["records"])
    alone = run(case["records"][:1])
    # an exponential of many rows at once may end in another digit than that of one
    same = lambda a, b: np.allclose(a, b, rtol=1e-13, atol=1e-15, equal_nan=True) if a.dtype.kind == "f" else np.array_equal(a, b)
    assert all(same(a[:1], b) for a, b in zip(found, alone)), case["file"]
    print(json.dumps({name: np.where(np.isfinite(values), values, None).tolist() if values.dtype.kind == "f" else values.tolist() for name, values in zip(names, found)}))
`;

interface Found {
  readonly label: readonly string[];
  readonly probabilities: readonly (readonly (number | null)[])[];
  readonly logit: readonly (number | null | readonly (number | null)[])[];
  readonly defaulted: readonly number[];
  readonly review?: readonly boolean[];
  readonly refused: readonly boolean[];
}

/** How far a probability, and a logit beside its size, may be. */
const BOUND = 2e-14;

function check({ name, plan, scores }: Case, asked: readonly number[], found: Found): void {
  const { classes, positive } = plan;
  for (const [row, i] of asked.entries()) {
    const score = scores[i];
    const where = `${name}, record ${i}`;
    expect([where, found.refused[row]]).toEqual([where, score === null]);
    const p = found.probabilities[row];
    if (score === null) {
      expect([where, found.label[row], p[0]]).toEqual([where, '', null]);
      continue;
    }
    const wanted =
      positive === null
        ? score.probabilities!
        : classes.map((one) => (one === positive ? score.probability : 1 - score.probability));
    for (const [k, one] of wanted.entries()) expect(Math.abs(one - p[k]!), where).toBeLessThanOrEqual(BOUND);
    const near = [...wanted].sort((a, b) => b - a);
    // labels are decided by probabilities that differ in their last digits
    const { threshold, costs } = plan.decision;
    const isClear =
      positive === null ? !costs && near[0] - near[1] > BOUND : Math.abs(score.probability - threshold) > BOUND;
    if (isClear) expect([where, found.label[row]]).toEqual([where, score.label]);
    expect([where, found.defaulted[row]]).toEqual([where, score.defaulted]);
    if (isClear && score.review !== undefined) expect([where, found.review![row]]).toEqual([where, score.review]);
    if (positive !== null) {
      const z = found.logit[row] as number | null;
      if (Number.isFinite(score.logit))
        expect(Math.abs(score.logit - z!), where).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(score.logit)));
    }
  }
}

test.runIf(INTEROP)(
  'a graph of ONNX gives the scores of Model.score, and refuses what it refuses',
  () => {
    const taken: { one: Case; asked: number[] }[] = [];
    const refused = new Set<string>();
    let text = '';
    for (const one of cases(sweep(40, 400)).taken) {
      const { plan, records } = one;
      let file: string | Uint8Array;
      try {
        [{ text: file }] = onnx.print(() => plan, optionsOf(one, 'model'));
      } catch (error) {
        refused.add((error as Error).message.replace(/^(field|model) ?[^:]*/, '$1'));
        continue;
      }
      const path = `m${taken.length}.onnx`;
      writeFileSync(join(folder, path), file);
      // an empty text is a missing value there
      const asked = [...records.keys()].filter(
        (i) => isTyped(records[i]) && Object.values(records[i]).every((cell) => cell !== ''),
      );
      const holds = plan.inputs.map((input) => input.holds);
      text += `${JSON.stringify({ file: path, holds, records: asked.map((i) => records[i]) })}\n`;
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
    expect(taken.length).toBeGreaterThan(30);
    for (const message of refused)
      expect(message).toMatch(
        /^(field: expected (levels that are not empty|a kind of feature|a name that ONNX)|model: expected at least)/,
      );
  },
  600_000,
);
