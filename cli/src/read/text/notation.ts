/** Numbers in other notations than that of the file. */

const GROUPED = /^\d{1,3}(?:[.,'’_\u00a0\u202f ]\d{3})+(?:[.,]\d+)?$/;
const COMMA = /^\d+,\d+(?:e[-+]?\d+)?$/i;
const UNDERSCORES = /^\d+(?:_\d+)+(?:\.\d+)?$/;
const PLAIN = /^(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;
const MONEY = /^[$€£¥₹]\s?|\s?[$€£¥₹]$/;

/**
 * Recognises a number in another notation and returns the next step: "1,5", "1.234,5", "$1,200", "12%", "(30)".
 * @returns null for any other text
 */
export function otherNotation(text: string, column: string): string | null {
  if (text.length > 60 || !/\d/.test(text)) return null;
  const plain = (next: string) => `${next}, or say --categorical ${column}`;
  let rest = text.trim();
  const paid = MONEY.test(rest);
  rest = rest.replace(MONEY, '');
  const percent = /\s?%$/.test(rest);
  rest = rest.replace(/\s?%$/, '');
  const bracket = /^\(.*\)$/.test(rest);
  if (bracket) rest = rest.slice(1, -1);
  const dash = /^\s*[−–]/.test(rest);
  rest = rest.replace(/^\s*[-+−–]\s?/, '');
  // the currency sign may follow the sign of the number
  const paidAfter = MONEY.test(rest);
  rest = rest.replace(MONEY, '');
  const grouped = GROUPED.test(rest);
  const comma = COMMA.test(rest);
  const underscores = UNDERSCORES.test(rest);
  if (!(PLAIN.test(rest) || grouped || comma || underscores)) return null;
  if (paid || paidAfter) return plain('write the amount without its currency');
  if (percent) return plain('write the number without the per cent sign');
  if (bracket || dash) return plain('write the number with a minus sign (-) before it');
  if (comma && grouped)
    return plain('say --thousands "," when it is a thousand and more, or --decimal "," when it is a fraction');
  if (comma) return plain('say --decimal ","');
  if (underscores) return plain('say --thousands _');
  if (!grouped) return null;
  const mark = /[^\d]/.exec(rest)![0];
  const point = /[.,](?=\d+$)/.exec(rest)?.[0];
  const decimal = point === ',' && mark !== ',' ? ' and --decimal ","' : '';
  const quoted = /[\s',]/.test(mark) ? JSON.stringify(mark) : mark;
  return plain(`say --thousands ${quoted}${decimal}`);
}
