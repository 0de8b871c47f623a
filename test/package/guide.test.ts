import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { workspace } from '../cli/run.ts';
import { longSentences } from './sentences.ts';

// plain JavaScript, without declarations
const { difference, differences, partsOf, stepsOf } = await import(
  new URL('../../scripts/guide.mjs', import.meta.url).href
);
const { figure, figuresOf } = await import(new URL('../../scripts/guideFigures.mjs', import.meta.url).href);

const chapters = readdirSync('docs/guide')
  .filter((name) => name.endsWith('.md'))
  .sort();
const read = (name: string) => readFileSync(`docs/guide/${name}`, 'utf8');
// a chapter goes on with the files of those before it
const { folder, run } = workspace();

test.each(chapters)(
  'the code and commands of %s print what it shows, and its pictures are of the same run',
  async (name) => {
    const markdown = read(name);
    expect(stepsOf(markdown).length).toBeGreaterThanOrEqual(5);
    expect(differences(markdown, folder, run)).toEqual([]);
    const figures: { path: string }[] = figuresOf(markdown);
    // what a job of the night does is no picture
    expect(figures.length > 0).toBe(name !== '7-score-every-night.md');
    for (const one of figures)
      expect(await figure(one, folder), one.path).toBe(readFileSync(`docs/guide/${one.path}`, 'utf8'));
  },
);

test('every picture of the guide is shown where it is drawn, and none is left over', () => {
  const shown = chapters.flatMap((name) => {
    const markdown = read(name);
    const images = [...markdown.matchAll(/!\[[^\]]{20,}\]\((img\/[^)]+)\)/g)].map(([, path]) => path);
    expect(images, name).toEqual(figuresOf(markdown).map(({ path }: { path: string }) => path));
    return images;
  });
  expect(
    readdirSync('docs/guide/img')
      .map((file) => `img/${file}`)
      .sort(),
  ).toEqual(shown.sort());
});

test('chapters lead to one another, and to the table of contents', () => {
  const contents = readFileSync('docs/README.md', 'utf8');
  for (const [i, name] of chapters.entries()) {
    expect(contents).toContain(`(guide/${name})`);
    expect(read(name)).toContain(i + 1 < chapters.length ? `](${chapters[i + 1]})` : '](../README.md)');
  }
});

test.each([...chapters.map((name) => `docs/guide/${name}`), 'docs/README.md', 'docs/reference.md'])(
  'no sentence of %s has more than 30 words',
  (path) => {
    expect(existsSync(path)).toBe(true);
    expect(longSentences(readFileSync(path, 'utf8'), 30)).toEqual([]);
  },
);

test('what is shown may have fewer lines and digits than what is printed, and nothing else', () => {
  const printed = ['rows 1,234', 'log loss 0.49102, AUC 0.6346', 'time 0.25 s', 'end'];
  expect(difference(printed, printed)).toBe(null);
  expect(difference(['rows 1,234', '…', 'time … s', 'end'], printed)).toBe(null);
  expect(difference(['…', 'log loss 0.491, AUC 0.63', '…'], printed)).toBe(null);
  for (const wrong of [
    ['rows 1,235', '…'],
    ['rows 1,23', '…'],
    ['…', 'log loss 0.492, AUC 0.63', '…'],
    ['rows 1,234', 'time … s', 'end'],
    printed.slice(0, 3),
    [...printed, 'more'],
    ['…', 'time … s', '…', 'log loss 0.49102, AUC 0.6346', '…'],
    [],
  ])
    expect(difference(wrong, printed), wrong.join()).not.toBe(null);
  const [first, second] = partsOf({ kind: 'js', source: ['console.log(', '  1,', '); // one', '// 1', 'f();'] });
  expect(first).toEqual({ code: ['console.log(', '  1,', '); // one'], shown: ['1'] });
  expect(second).toEqual({ code: ['f();'], shown: [] });
});
