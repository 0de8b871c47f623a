import type { Label } from '../../../../service/src/index.ts';
import { RotatingLines } from '../../serve/observation/rotating.ts';
import type { ModelInUse } from './formats/format.ts';
import type { Message } from './transport.ts';

const SIZE = 64 * 2 ** 20;
const AGE_MS = 86_400_000;

/** Labels of earlier scores, appended to `labels-*` of the folder of a prediction log: `logodds monitor` joins them with the scores. */
export class LabelLog {
  readonly #lines: RotatingLines;

  constructor(folder: string) {
    this.#lines = new RotatingLines({ folder, stem: 'labels', size: SIZE, ageMs: AGE_MS });
  }

  /**
   * Appends the labels of messages, `{"id","label","at"?}` each; `at` is the time of the message where it is absent. After a failure they come again, so a label
   * may be in the log twice: the join takes each once.
   * @returns how many were kept, and how many were none
   * @throws the error of the system
   */
  append(messages: readonly Message[], { name, model }: ModelInUse): { kept: number; refused: number } {
    const classes = new Set(model.manifest.classes);
    const labels = messages.flatMap((message) => labelOf(message, name, classes) ?? []);
    if (labels.length > 0) this.#lines.write(labels.map((label) => `${JSON.stringify(label)}\n`).join(''));
    return { kept: labels.length, refused: messages.length - labels.length };
  }

  close(): void {
    this.#lines.close();
  }
}

function labelOf({ value, timestamp }: Message, model: string, classes: ReadonlySet<string>): Label | null {
  let given: { readonly id?: unknown; readonly label?: unknown; readonly at?: unknown } | null;
  try {
    given = JSON.parse(value?.toString('utf8') ?? 'null');
  } catch {
    return null;
  }
  if (given === null || typeof given !== 'object' || typeof given.id !== 'string') return null;
  const { label: raw, at: time } = given;
  if (!['string', 'number', 'boolean'].includes(typeof raw)) return null;
  const label = String(raw);
  const at = time === undefined ? timestamp : typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (!classes.has(label) || !Number.isFinite(at)) return null;
  return { id: given.id, label, at: new Date(at).toISOString(), model };
}
