// Data sets for the report: names that would break a careless page, three classes, hundreds of coefficients.

/** Numbers in [0, 1) from a seed: SplitMix32. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

const cell = (value) => `"${String(value).replaceAll('"', '""')}"`;
const csv = (head, rows) => `${[head, ...rows].map((row) => row.map(cell).join(',')).join('\n')}\n`;
const chance = (logit) => 1 / (1 + Math.exp(-logit));

/** Markup, quotes, prototype keys, long and right-to-left text in the place of every name. */
export const AWKWARD = {
  target: 'Rückfall <b>?</b>',
  yes: '<script>window.hit = 1</script>',
  no: '"><img src=x onerror="window.hit = 2">',
  number: 'a&b "c" \'d\' `e`',
  levels: ['__proto__', 'constructor', '</style><script>window.hit = 3</script>', 'عربي ‮txet', '日本語', ''],
  long: `${'a very long name '.repeat(12)}<svg onload="window.hit=4">`,
  token: 'x'.repeat(120),
};

export function awkward(rows = 3000) {
  const next = random(7);
  const { target, yes, no, number, levels, long, token } = AWKWARD;
  const list = Array.from({ length: rows }, () => {
    const x = (next() + next() + next() - 1.5) * 20 + 50;
    const level = Math.floor(next() * levels.length);
    const far = next() * 1e6;
    const flat = next() < 0.15 ? '' : next() * 1e-3;
    const logit = (x - 50) / 9 + [0.8, -0.6, 0.2, -0.2, 0.5, -1][level] - 1.1;
    return [
      x.toFixed(2),
      levels[level],
      far.toFixed(0),
      flat,
      level > 3 ? token : 'short',
      next() < chance(logit) ? yes : no,
    ];
  });
  return csv([number, 'constructor', long, '__proto__', 'toString', target], list);
}

export function threeClasses(rows = 2400) {
  const next = random(11);
  const names = ['low & slow', 'middle', '<high>'];
  const list = Array.from({ length: rows }, () => {
    const x = next() * 10;
    const group = ['north', 'south', 'east'][Math.floor(next() * 3)];
    const odds = [Math.exp(2 - 0.6 * x), 1, Math.exp(0.7 * x - 4.5 + (group === 'east' ? 1 : 0))];
    let draw = next() * odds.reduce((sum, one) => sum + one);
    const k = odds.findIndex((one) => {
      draw -= one;
      return draw <= 0;
    });
    return [x.toFixed(3), (next() * 3).toFixed(3), group, names[k]];
  });
  return csv(['x', 'noise', 'group', 'grade'], list);
}

/** A category of 290 levels and numbers beside it. */
export function manyCoefficients(rows = 6000) {
  const next = random(13);
  const effects = Array.from({ length: 290 }, () => (next() - 0.5) * 2);
  const list = Array.from({ length: rows }, () => {
    const level = Math.floor(next() * effects.length);
    const numbers = Array.from({ length: 10 }, () => next());
    const logit = effects[level] + 2 * numbers[0] - 1.5 * numbers[1] - 2.5;
    return [
      `place-${level}`,
      ...numbers.map((one) => one.toFixed(4)),
      (1 + Math.floor(next() * 3)).toString(),
      next() < chance(logit) ? 'yes' : 'no',
    ];
  });
  return csv(['place', ...Array.from({ length: 10 }, (_, k) => `measure_${k}`), 'copies', 'bought'], list);
}
