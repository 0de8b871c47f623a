import { describe, expect, it } from 'vitest';
import { columnFindings } from '../../src/diagnose/columns.ts';
import { inferSchema } from '../../src/encode/infer.ts';
import type { Column } from '../../src/encode/table.ts';
import { coded, numeric, random, table } from '../train/oracles.ts';

/** Findings of columns beside y: code and evidence by code. */
function look(y: number[], columns: Column[], { labels = ['no', 'yes'], count = null as number[] | null } = {}) {
  const data = table(...columns);
  const counts = count && Float64Array.from(count);
  const { features } = inferSchema(data, { exclude: [], coding: 'treatment', weight: counts });
  return columnFindings({ table: data, features, target: 'y', labels, y: Float64Array.from(y), count: counts });
}
const codes = (found: ReturnType<typeof look>) => found.map(({ code, features }) => `${code} ${features}`);

const draw = random(4);
const n = 200;
const y = Array.from({ length: n }, () => Number(draw() < 0.4));
const noise = () => Array.from({ length: n }, draw);
const letters = (from: string) => Array.from({ length: n }, () => from[Math.floor(draw() * from.length)]);

describe('columnFindings', () => {
  it('says nothing of plain columns', () => {
    expect(
      look(y, [
        numeric('x', noise()),
        coded('c', letters('abc')),
        numeric(
          'n',
          noise().map((v) => Math.floor(9 * v)),
        ),
      ]),
    ).toEqual([]);
  });

  it.each([
    ['ascending numbers', y.map((_, i) => 7 * i)],
    ['descending numbers', y.map((_, i) => -1000 * i)],
    ['shuffled numbers with few gaps', y.map((_, i) => (i * 77) % 200)],
  ])('%s are an identifier', (_, x) => {
    expect(codes(look(y, [numeric('id', x)]))).toEqual(['IDENTIFIER id']);
  });

  it.each([
    ['numbers that repeat', y.map((_, i) => Math.floor(i / 2))],
    ['numbers with many gaps, in no order', y.map((_, i) => ((i * 77) % 200) * 10)],
    ['fractions', y.map((_, i) => i + 0.5)],
  ])('%s are none', (_, x) => {
    expect(codes(look(y, [numeric('id', x)]))).toEqual([]);
  });

  it('levels of which nearly every row has its own are an identifier, and not also rare', () => {
    const found = look(y, [
      coded(
        'name',
        y.map((_, i) => `n${i === 3 ? 4 : i}`),
      ),
    ]);
    expect(codes(found)).toEqual(['IDENTIFIER name']);
    expect(found[0].evidence).toBe('"name" looks like an identifier: 199 levels in 200 rows');
  });

  it('a constant', () => {
    const found = look(
      y,
      [
        numeric(
          'x',
          y.map(() => 3),
        ),
        coded(
          'c',
          y.map(() => 'a'),
        ),
        numeric(
          'z',
          y.map((_, i) => (i < 5 ? i : 3)),
        ),
      ],
      {
        count: y.map((_, i) => Number(i >= 5)),
      },
    );
    expect(codes(found)).toEqual(['CONSTANT_COLUMN x', 'CONSTANT_COLUMN c', 'CONSTANT_COLUMN z']);
  });

  it('repeated columns, of numbers and of levels under other names', () => {
    const x = noise();
    const c = letters('abc');
    const found = look(y, [
      numeric('x', x),
      coded('c', c),
      numeric('x2', x),
      coded(
        'c2',
        c.map((level) => `level ${level}`),
      ),
      numeric(
        'near',
        x.map((value, i) => (i === 131 ? value + 1 : value)),
      ),
      coded(
        'coarse',
        c.map((level) => (level === 'a' ? 'a' : 'other')),
      ),
    ]);
    expect(codes(found)).toEqual(['DUPLICATE_COLUMN x2,x', 'DUPLICATE_COLUMN c2,c']);
  });

  it('missing cells, as a share of the rows that count', () => {
    const x = noise();
    const found = look(
      y,
      [
        numeric('few', x, [0, 1]),
        numeric(
          'most',
          noise(),
          y.flatMap((_, i) => (i % 3 ? [i] : [])),
        ),
      ],
      {
        count: y.map((_, i) => (i === 0 ? 3 : i === 1 ? 0 : 1)),
      },
    );
    expect(found.map(({ severity, evidence }) => `${severity} ${evidence}`)).toEqual([
      'info "few": 3 of 201 cells missing (1.5 %)',
      'warning "most": 132 of 201 cells missing (66 %)',
    ]);
  });

  it('rare levels, the rarest first', () => {
    const c = letters('ab');
    c[0] = 'z';
    c[1] = c[2] = 'w';
    const found = look(y, [coded('c', c)]);
    expect(codes(found)).toEqual(['RARE_LEVELS c']);
    expect(found[0].evidence).toBe('"c": 2 of 4 levels have fewer than 10 rows ("z", "w"; the rarest 1 row)');
    // rows are counted by their weight
    expect(look(y, [coded('c', c)], { count: y.map(() => 10) })).toEqual([]);
  });

  it('an imbalance of the classes', () => {
    const rare = y.map((_, i) => Number(i % 40 === 0));
    const found = look(rare, [numeric('x', noise())]);
    expect(codes(found)).toEqual(['CLASS_IMBALANCE y']);
    expect(found[0].evidence).toBe('class "yes" of "y" has 5 rows of 200 (2.5 %)');
    expect(look(rare, [numeric('x', noise())], { count: rare.map((value) => (value ? 10 : 1)) })).toEqual([]);
  });

  describe('leakage', () => {
    const close = y.map((value) => value + 0.7 * (draw() - draw()));
    it.each<[string, Column, boolean]>([
      [
        'a number that decides',
        numeric(
          'leak',
          y.map((value) => value * 5 + draw()),
        ),
        true,
      ],
      [
        'a number that decides the other way',
        numeric(
          'leak',
          y.map((value) => -value * 5 + draw()),
        ),
        true,
      ],
      [
        'a number that decides but for three rows',
        numeric(
          'leak',
          y.map((value, i) => (i < 3 ? 1 - value : value) * 5 + draw()),
        ),
        false,
      ],
      ['a number that decides but for one row at the border', numeric('leak', close), true],
      [
        'a number that says much',
        numeric(
          'leak',
          y.map((value) => value + 1.6 * (draw() - draw())),
        ),
        false,
      ],
      [
        'a level',
        coded(
          'leak',
          y.map((value) => (value ? 'paid' : 'due')),
        ),
        true,
      ],
      [
        'several levels',
        coded(
          'leak',
          y.map((value, i) => `${value}${i % 3}`),
        ),
        true,
      ],
      [
        'a level that says much',
        coded(
          'leak',
          y.map((value, i) => ((i % 10 ? value : 1 - value) ? 'a' : 'b')),
        ),
        false,
      ],
      [
        'being missing',
        numeric(
          'leak',
          noise(),
          y.flatMap((value, i) => (value ? [i] : [])),
        ),
        true,
      ],
    ])('%s', (_, column, leaks) => {
      expect(codes(look(y, [numeric('x', noise()), column])).includes('LEAKAGE leak')).toBe(leaks);
    });

    it('the AUC of the evidence is that of all rows', () => {
      const [found] = look(y, [numeric('leak', close)]);
      const [inside, outside] = [1, 0].map((side) => close.filter((_, i) => y[i] === side));
      const wins = inside.flatMap((a) => outside.map((b) => Number(a > b)));
      const area = wins.reduce((sum, win) => sum + win, 0) / wins.length;
      expect(area).toBeGreaterThan(0.99);
      expect(area).toBeLessThan(1);
      expect(found.evidence).toContain(`AUC ${area.toFixed(4)}`);
    });

    it('of one class among several', () => {
      const three = y.map((value, i) => (value ? 2 : i % 2));
      const found = look(
        three,
        [
          numeric(
            'leak',
            three.map((value) => Number(value === 1) + draw() / 2),
          ),
        ],
        { labels: ['a', 'b', 'c'] },
      );
      expect(found.map(({ evidence }) => evidence)).toEqual([expect.stringContaining('determines "y" = "b"')]);
    });

    it('needs ten rows of each class', () => {
      const few = y.map((_, i) => Number(i < 9));
      const more = y.map((_, i) => Number(i < 10));
      const decides = (labels: number[]) =>
        numeric(
          'leak',
          labels.map((value) => value + draw() / 2),
        );
      expect(codes(look(few, [decides(few)]))).toEqual(['CLASS_IMBALANCE y']);
      expect(codes(look(more, [decides(more)]))).toEqual(['LEAKAGE leak']);
    });

    it('levels of few rows decide nothing', () => {
      const found = look(y, [
        coded(
          'c',
          y.map((value, i) => (i < 170 ? `level ${i}` : `last ${value}`)),
        ),
      ]);
      expect(codes(found)).toEqual(['RARE_LEVELS c']);
    });

    it('counts of both outcomes in a row are in both classes', () => {
      const shares = Array.from({ length: 50 }, (_, i) => (i < 20 ? 0 : i > 30 ? 1 : i / 50));
      const found = look(
        shares,
        [
          numeric(
            'age',
            shares.map((_, i) => i),
          ),
        ],
        { count: shares.map((_, i) => (i > 20 && i < 30 ? 100 : 1)) },
      );
      expect(codes(found)).toEqual(['IDENTIFIER age']);
    });
  });
});
