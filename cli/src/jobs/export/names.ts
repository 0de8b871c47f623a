/**
 * A name of a variable for each text, all different: letters, digits and _, behind a prefix that no keyword and nothing of a runtime has.
 * @param taken  words that may not be used, separated by blanks
 */
export function names(texts: readonly string[], prefix: string, taken = ''): ReadonlyMap<string, string> {
  const used = new Set(taken.split(' '));
  const found = new Map<string, string>();
  for (const text of texts) {
    if (found.has(text)) continue;
    const word = text
      .replace(/[^A-Za-z0-9]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .slice(0, 60);
    const plain = prefix + (/^[A-Za-z]/.test(prefix + word) ? word : `f_${word}`);
    let name = plain;
    for (let i = 2; used.has(name); i++) name = `${plain}_${i}`;
    used.add(name);
    found.set(text, name);
  }
  return found;
}
