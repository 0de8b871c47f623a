import { describe, expect, it } from 'vitest';
import { TextMemory } from '../../bindings/writer.ts';
import { Rows } from '../../src/bytes/rowWriter.ts';
import { rowWriter } from '../../src/bytes.ts';
import { random } from '../train/oracles.ts';

const next = random(11);
const decoder = new TextDecoder();
const signed = (value: number) => (next() < 0.5 ? -value : value);
/** a whole number of as many bits at most, of any size */
const whole = (bits: number) => Math.floor(next() * 2 ** Math.floor(bits * next()));
/** numbers beside a value */
const beside = (value: number) => {
  const bits = new BigInt64Array(new Float64Array([value]).buffer);
  bits[0] += BigInt(Math.floor(7 * next()) - 3);
  return new Float64Array(bits.buffer)[0];
};
const NONE = [
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5e-324,
  -1e300,
  2 ** 52,
  2 ** -30,
  1e-31,
];

describe('numbers have the characters of String', () => {
  const memory = TextMemory.make()!;
  /** what the kernel writes; null: it leaves the number */
  const written = (value: number): string | null => {
    const end = memory.number(0, value);
    return end === 0 ? null : decoder.decode(memory.bytes.subarray(0, end));
  };

  it.each<[string, () => number]>([
    ['probabilities', () => next()],
    ['logits', () => -Math.log(1 / next() - 1)],
    ['of every size', () => signed(2 ** (81 * next() - 29))],
    ['beside powers of two', () => signed(beside(2 ** Math.floor(81 * next() - 29)))],
    ['of every size below 2 ** -29', () => signed(2 ** -(29 + 71 * next()))],
    ['beside powers of two below 2 ** -29', () => signed(beside(2 ** -Math.floor(29 + 71 * next())))],
    [
      'of few digits below 2 ** -29',
      () => signed(beside(Number((10 ** -(9 + 21 * next())).toPrecision(1 + Math.floor(17 * next()))))),
    ],
    ['beside powers of ten', () => signed(beside(10 ** Math.floor(24 * next() - 8)))],
    ['of few decimals, and beside them', () => signed(beside(Number((1e6 * next()).toFixed(Math.floor(9 * next())))))],
    [
      'of few digits, and beside them',
      () => signed(beside(Number((10 ** (23 * next() - 8)).toPrecision(1 + Math.floor(17 * next()))))),
    ],
    ['of few bits', () => signed(whole(20) / 2 ** Math.floor(20 * next()))],
    ['whole', () => signed(whole(52))],
    ['halves', () => signed(whole(51) + 0.5)],
    ['shares', () => whole(7) / (1 + whole(7))],
  ])('%s', (_, draw) => {
    let left = 0;
    for (let i = 0; i < 50_000; i++) {
      const value = draw();
      const text = written(value);
      const size = Math.abs(value);
      const mayBeLeft = size !== 0 && (size < 2 ** -29 || (size < 1e-6 && Math.log2(size) % 1 === 0));
      if (text === null && size < 2 ** -29) left++;
      if (text !== `${value}` && !(text === null && mayBeLeft)) expect(text).toBe(`${value}`);
    }
    // besides powers of two
    expect(left / 50_000).toBeLessThan(0.25);
  });

  it('or are left: what is not finite, and what is too large or too small', () => {
    expect(NONE.map(written)).toEqual(['0', '0', ...NONE.slice(2).map(() => null)]);
  });
});

describe('rows', () => {
  const count = 3000;
  const odd = [...NONE, 1e-9, 1e22, 0.5];
  const columns = [
    Float64Array.from({ length: count }, () => next()),
    // every tenth or so is left by the kernel
    Float64Array.from({ length: count }, () => (next() < 0.1 ? odd[Math.floor(12 * next())] : 20 * next() - 10)),
    Uint32Array.from({ length: count }, () => Math.floor(3 * next())),
  ] as const;
  const labels = ['"no"', '"yes, and é"', `"${'long '.repeat(100)}"`];
  const parts = ['{"p":', { number: 0 }, ',"label":', { text: 2, of: labels }, ',', { number: 1 }, '}\n'] as const;
  const number = (value: number) => (Number.isFinite(value) ? `${value}` : 'null');
  const lineOf = (row: number) =>
    `{"p":${number(columns[0][row])},"label":${labels[columns[2][row]]},${number(columns[1][row])}}\n`;
  const expected = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => lineOf(from + i)).join('');
  const text = (bytes: Uint8Array) => decoder.decode(bytes);

  it('are their texts and cells, of any range', () => {
    const writer = rowWriter(parts);
    expect(text(writer.write(columns))).toBe(expected(0, count));
    for (const [from, to] of [
      [0, 0],
      [7, 7],
      [1023, 1025],
      [500, 2999],
    ])
      expect(text(writer.write(columns, { from, to }))).toBe(expected(from, to));
  });

  it('belong to the caller', () => {
    const writer = rowWriter(parts);
    const first = writer.write(columns, { to: 10 });
    writer.write(columns, { from: 10 });
    expect(text(first)).toBe(expected(0, 10));
    expect(first.byteLength).toBe(first.buffer.byteLength);
  });

  it('of several writers in turn', () => {
    const writers = [rowWriter(parts), rowWriter([{ number: 0 }, ',']), rowWriter([{ text: 2, of: ['', 'b', 'cc'] }])];
    for (let turn = 0; turn < 3; turn++) {
      expect(text(writers[0].write(columns, { to: 20 }))).toBe(expected(0, 20));
      expect(text(writers[1].write(columns, { to: 20 }))).toBe(`${[...columns[0].subarray(0, 20)].join()},`);
      expect(text(writers[2].write(columns))).toBe(Array.from(columns[2], (code) => ['', 'b', 'cc'][code]).join(''));
    }
  });

  it('do not read columns without a part', () => {
    const writer = rowWriter([{ number: 1 }, '\n']);
    const many = [new Float64Array(), columns[0], ...Array.from({ length: 99 }, () => columns[2])];
    expect(text(writer.write(many, { to: count }))).toBe(`${[...columns[0]].join('\n')}\n`);
  });

  it('have their number', () => {
    const writer = rowWriter([{ row: true }, ' ']);
    for (const first of [0, 98, 99_999_990, 2 ** 32 - 2, 1e15, Number.MAX_SAFE_INTEGER - 20]) {
      const numbers = Array.from({ length: 20 }, (_, i) => `${first + i} `).join('');
      expect(text(writer.write([], { to: 20, first }))).toBe(numbers);
    }
  });

  it.each([
    ['of many columns', 2000, ''],
    ['longer than what WebAssembly takes', 3, 'é'.repeat(2 ** 19)],
  ])('%s', (_, width, more) => {
    const all = Array.from({ length: width }, (_, j) => Float64Array.from({ length: 40 }, (_, i) => i - j / 7));
    const writer = rowWriter([...all.flatMap((_, j) => [{ number: j }, ' ']), more, '\n']);
    const lines = Array.from({ length: 40 }, (_, i) => `${all.map((column) => `${column[i]} `).join('')}${more}\n`);
    expect(text(writer.write(all))).toBe(lines.join(''));
  });

  it('need a column of the right kind and length for each part, and a text for each code', () => {
    const writer = rowWriter(parts);
    const refusal = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        const { code, message } = error as Error & { code: string };
        return `${code} ${message}`;
      }
      return null;
    };
    const [p, z, codes] = columns;
    expect([
      refusal(() => writer.write([p, z])),
      refusal(() => writer.write([p, codes, codes])),
      refusal(() => writer.write([p, z.subarray(1), codes])),
      refusal(() => writer.write([p, z, Uint32Array.from(codes, (code, row) => (row === 1500 ? 3 : code))])),
      refusal(() => writer.write(columns, { to: 1.5 })),
      refusal(() => writer.write(columns, { first: -1 })),
      refusal(() => writer.write(columns, { from: 2, to: 1 })),
    ]).toMatchInlineSnapshot(`
      [
        "ERR_SHAPE columns: expected at 2 a Uint32Array of 3000 values at least, got something else; hand over one column for each part",
        "ERR_SHAPE columns: expected at 1 a Float64Array of 3000 values at least, got something else; hand over one column for each part",
        "ERR_SHAPE columns: expected at 1 a Float64Array of 3000 values at least, got 2999; hand over one column for each part",
        "ERR_RANGE columns, row 1500 (from 0): expected a code below 3, got 3; give each code a text",
        "ERR_RANGE to: expected a whole number from 0 to 4294967295, got 1.5",
        "ERR_RANGE first: expected a whole number from 0 to 9007199254740991, got -1",
        "ERR_RANGE from: expected a whole number from 0 to 1, got 2",
      ]
    `);
    // what failed leaves nothing behind
    expect(text(writer.write(columns, { to: 3 }))).toBe(expected(0, 3));
  });

  it('go out in pieces to who takes them', () => {
    const pieces: number[] = [];
    let all = '';
    new Rows(parts).pass(columns, (bytes) => {
      pieces.push(bytes.length);
      all += text(bytes);
    });
    expect(all).toBe(expected(0, count));
    expect(pieces.length).toBeGreaterThan(5);
    expect(Math.min(...pieces.slice(0, -1))).toBeGreaterThanOrEqual(2 ** 16);
  });
});
