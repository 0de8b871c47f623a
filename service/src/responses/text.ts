/** Text of an answer; bytes are UTF-8. */
export type Text = string | Uint8Array;

const encoder = new TextEncoder();

export const encoded = (text: Text): Uint8Array => (typeof text === 'string' ? encoder.encode(text) : text);

/** Texts as one, which is bytes where one of them is. */
export function joined(parts: readonly Text[]): Text {
  if (parts.length === 1) return parts[0];
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  const all = parts.map(encoded);
  const whole = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of all) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Elements with a comma behind each as what stands in an array. */
export const elements = (text: Text): Text => (typeof text === 'string' ? text.slice(0, -1) : text.subarray(0, -1));
