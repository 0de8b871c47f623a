/** A plan for every column of a file, whatever its cells are. It serves queries, whose columns are not features yet. */
import { LogoddsError } from '../../../../src/index.ts';
import { placeOf } from '../place.ts';
import type { Part } from '../roles.ts';
import type { ColumnPlan } from './builder.ts';
import { type Facts, KIND } from './facts.ts';
import { judge, Notes } from './judge.ts';
import { labelling, spellingOf } from './labels.ts';
import { gatherFacts, missingTexts } from './plan.ts';
import type { TextSource } from './source.ts';

/** How a column is read into a table of DuckDB. */
export interface AnyPlan {
  readonly plan: ColumnPlan;
  /** the type that it is converted to, with @ for the column; null: unchanged */
  readonly become: string | null;
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const NOTE_TEXT = 'columns of --query that are read as text, because some cells are not numbers';

/** Numbers, dates, lists and objects keep their types; everything else is text. A column that DATA refuses is text here, with a note. */
export async function planAny(source: TextSource, parts: readonly Part[]): Promise<AnyPlan[]> {
  const { reading, typing, label } = source;
  const json = typing === 'jsonl';
  const names = parts.map(({ name }) => name);
  const { facts, rows } = await gatherFacts(source, names, () => false);
  if (rows === 0) {
    throw new LogoddsError(
      'ERR_DATA',
      `${label}: expected rows, got none (a header only, or an empty result); check how it was made`,
    );
  }
  const notes = new Notes();
  const verdicts = facts.map((one, k) => judge(names[k], one, reading, json, notes));
  const isText = (k: number) => verdicts[k].kind !== 'numeric';
  // numbers before the first text were not counted
  const lost = names.flatMap((_, k) => (isText(k) && facts[k].numbers > 0 ? [k] : []));
  const again =
    lost.length > 0
      ? (
          await gatherFacts(
            source,
            lost.map((k) => names[k]),
            () => true,
          )
        ).facts
      : [];
  for (const [k, verdict] of verdicts.entries()) {
    if (verdict.kind !== 'cell') continue;
    const place = await placeOf(source, verdict.cell.row);
    notes.add(NOTE_TEXT, `${names[k]} (${label}, line ${place?.line}: ${String(verdict.cell.value)})`);
  }
  const plans = names.map((own, k): AnyPlan => {
    const verdict = verdicts[k];
    if (verdict.kind === 'numeric') return { plan: { name: own, levels: null }, become: null };
    if (verdict.kind === 'column' && verdict.got === 'dates') {
      const days = [...facts[k].texts()].every(({ text }) => DATE.test(text) || reading.tokens.has(text));
      const type = days ? 'date' : 'timestamp';
      const instant = 'make_timestamp(cast(1000 * @ as bigint))';
      return {
        plan: { name: own, levels: null, instant: true },
        become: `${type} using ${days ? `cast(${instant} as date)` : instant}`,
      };
    }
    const cells = lost.includes(k) ? again[lost.indexOf(k)] : facts[k];
    const become =
      verdict.kind !== 'column'
        ? null
        : verdict.got === 'lists'
          ? `varchar[] using from_json(@, '["VARCHAR"]')`
          : 'json';
    return { plan: textPlan(source, own, cells), become };
  });
  notes.say(reading.warn);
  return plans;
}

function textPlan({ reading, typing }: TextSource, name: string, facts: Facts): ColumnPlan {
  const json = typing === 'jsonl';
  const texts = [...facts.texts()];
  const missing = missingTexts(texts, reading, json);
  const kept = texts.filter(({ text, kind }) => !(kind === KIND.text && missing.has(text)));
  const spelling = json
    ? 'plain'
    : spellingOf(
        kept.map(({ text }) => text),
        reading.style,
      );
  const label = labelling(json, reading, missing, spelling);
  return {
    name,
    levels: null,
    open: true,
    // JSON values that are not labels are kept unchanged
    label(text, kind) {
      const found = kind === KIND.object || kind === KIND.list ? text : label(text, kind);
      return found === undefined ? text : found;
    },
  };
}
