import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeFeatures } from '../../cli/src/figures/features.ts';
import { brief } from '../../cli/src/figures/wording.ts';
import { parted } from '../../cli/src/report/document.ts';
import { dataTable, escapeText, html, Markup, name } from '../../cli/src/report/html.ts';
import { draw } from '../../cli/src/report/plots/draw.ts';
import { forestPlot } from '../../cli/src/report/plots/effects.ts';
import type { Feature } from '../../src/encode/schema.ts';

describe('html', () => {
  it('what is put in is text, unless it is markup', () => {
    const bad = `<script>"'\`&`;
    expect(html`<p title="${bad}">${bad}${new Markup('<br>')}${null}${[1, html`<i>${'<'}</i>`]}</p>`.text).toBe(
      '<p title="&lt;script&gt;&quot;&#39;&#96;&amp;">&lt;script&gt;&quot;&#39;&#96;&amp;<br>1<i>&lt;</i></p>',
    );
  });

  it('no text opens a tag, closes an attribute, or holds a control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        expect(escapeText(text)).not.toMatch(/[<>"'`\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
        expect(dataTable([text], [[name(text)]]).text.match(/<(?!\/?(table|thead|tbody|tr|th|td|bdi)\b)/)).toBeNull();
      }),
    );
  });

  it('a long name is cut between letters, whatever they take', () => {
    expect(brief('😀'.repeat(100), 4)).toBe('😀😀😀…');
    expect(brief('abcd', 4)).toBe('abcd');
    expect(brief('x'.repeat(10_000_000), 10)).toBe(`${'x'.repeat(9)}…`);
  });
});

describe('draw', () => {
  it('names of axes are text, and the drawing has a name and a description', async () => {
    const effects = ['<script>', '__proto__', 'a"b'].map((one, k) => ({
      name: one,
      unit: '',
      value: k - 1.5,
      low: k - 2,
      high: k - 1,
    }));
    const { text } = await draw(forestPlot(effects, 3, 'Odds <b>'), 'odds');
    expect(text).toContain('<title id="odds-title">Odds &lt;b&gt;</title>');
    expect(text).toMatch(/<desc id="odds-text">3 coefficients, by \|z\|/);
    expect(text).toContain('&lt;script&gt;');
    expect(text).toContain('__proto__');
    expect(text).not.toMatch(/<script|NaN|Infinity|undefined/);
  });

  it('is the same whatever was drawn before, and its ids are its own', async () => {
    const effects = ['a', 'b', 'c'].map((one, k) => ({ name: one, unit: '', value: k - 1.5, low: k - 2, high: k - 1 }));
    const plot = forestPlot(effects, 3, 'Odds');
    const first = (await draw(plot, 'odds')).text;
    expect((await draw(plot, 'odds')).text).toBe(first);
    const ids = [...first.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBeGreaterThan(2);
    expect(ids.filter((id) => !id.startsWith('odds'))).toEqual([]);
  });

  it('estimates without bound are drawn at the edge', async () => {
    const effects = [{ name: 'a', unit: '', value: 700, low: -1e9, high: Number.POSITIVE_INFINITY }];
    const { text } = await draw(forestPlot(effects, 1, 'Odds'), 'odds');
    expect(text.replace(/<desc.*?<\/desc>/, '')).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe('describeFeatures', () => {
  const coded = {
    levels: ['a', 'b'],
    counts: [1, 1, 0],
    coding: 'treatment',
    reference: 1,
    missing: 'mode',
    unseen: 'error',
  } as const;
  const curve = {
    low: null,
    high: 9,
    range: 'clip',
    missing: 'slot',
    fill: 2,
    min: 0,
    max: 9,
    means: [1],
    scales: [1],
    units: [1],
  } as const;
  const list: Feature[] = [
    { kind: 'numeric', name: 'n', mean: 1, scale: 2, min: 0, max: 3, indicator: true },
    { kind: 'categorical', name: 'c', column: 'source', rare: ['z'], ...coded },
    { kind: 'curve', name: 's', transform: { name: 'box-cox', lambda: 0.5 }, knots: [1, 2, 3], ...curve },
    { kind: 'curve', name: 'l', transform: { name: 'log1p' }, knots: null, ...curve, part: 'year' },
    { kind: 'binned', name: 'b', edges: [0, 1, 2], range: 'error', ...coded },
    { kind: 'date', name: 'd', part: 'weekday', ...coded },
    {
      kind: 'target',
      name: 't',
      levels: ['a'],
      counts: [1, 0],
      values: [[0, 0, 0]],
      missing: 'baseline',
      unseen: 'baseline',
      means: [0],
      scales: [1],
    } as Feature,
    { kind: 'hashed', name: 'h', of: ['c', 'b'], buckets: 16, counts: [], missing: 'slot' },
    { kind: 'cross', name: 'x', of: ['c', 'b'], ...coded },
    {
      kind: 'tokens',
      name: 'w',
      split: 'words',
      tokens: { buckets: 8 },
      missing: 'baseline',
      unseen: 'baseline',
      means: [],
      scales: [],
    },
  ];

  it('has words for the policies of every kind', () => {
    const words = describeFeatures(list);
    expect(words.map(({ kind }) => kind)).toEqual([
      'number',
      'category',
      'natural cubic spline',
      'year of a date, log1p',
      'bins',
      'weekday of a date',
      'target encoding',
      'cross, hashed',
      'cross',
      'words of a text',
    ]);
    expect(words[1]).toEqual({
      name: 'c',
      reads: ['source'],
      kind: 'category',
      detail: '2 levels, reference b, 1 rare level folded',
      missing: 'as the most frequent level',
      unseen: 'an error',
      range: '–',
    });
    expect(words[2]).toMatchObject({
      missing: '2, and a weight of its own',
      range: 'outside −∞ to 9: set to the nearest end',
    });
    expect(words[7].reads).toEqual(['c', 'b']);
  });
});

it('a warning is parted at its last semicolon outside brackets and quotes, and stays whole', () => {
  expect(parted('"carrier": 1 of 16 levels has few rows ("OO"; 7 rows); merge them')).toEqual([
    '"carrier": 1 of 16 levels has few rows ("OO"; 7 rows)',
    'merge them',
  ]);
  expect(parted('level "a; b" is rare')).toEqual(['level "a; b" is rare', '']);
  expect(parted('first; second; drop it')).toEqual(['first; second', 'drop it']);
});
