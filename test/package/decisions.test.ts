import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const FOLDER = 'docs/decisions';
const HEADINGS = ['Context', 'Decision', 'Alternatives', 'Consequences'];
const STATUS = /^Date: (\d{4}-\d{2}-\d{2}) {3}Status: (?:in force|replaced by (\d{3}))(?:; \S.*)?$/;

const files = readdirSync(FOLDER).sort();
const decisions = files.filter((name) => name !== 'README.md');
const text = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
const numberOf = (name: string): string => name.slice(0, 3);
const headLine = (name: string): RegExpExecArray | null => STATUS.exec(text(name).split('\n')[2]);

describe.each(decisions)('%s', (name) => {
  const lines = text(name).trimEnd().split('\n');

  test('is named by its number, which its title repeats', () => {
    expect(name).toMatch(/^\d{3}(-[a-z0-9]+)+\.md$/);
    expect(lines[0]).toMatch(new RegExp(`^# ${numberOf(name)} \\S.*[^.]$`));
  });

  test('has a date that exists and a status', () => {
    const [, date] = headLine(name) ?? [];
    expect(lines[2]).toMatch(STATUS);
    expect(new Date(`${date}T00:00:00Z`).toISOString().slice(0, 10)).toBe(date);
  });

  test('has the four sections in order, none of them empty, and no other', () => {
    const headings = lines.filter((line) => /^#{2,} /.test(line));
    expect(headings).toEqual(HEADINGS.map((heading) => `## ${heading}`));
    const [, ...sections] = lines.join('\n').split(/^## .*$/m);
    for (const section of sections) expect(section.trim()).not.toBe('');
  });

  test('has 12 to 30 lines', () => {
    expect(lines.length).toBeGreaterThanOrEqual(12);
    expect(lines.length).toBeLessThanOrEqual(30);
  });

  test('is replaced by a decision that is there, and is another', () => {
    const replacement = headLine(name)?.[2];
    if (replacement === undefined) return;
    expect(decisions.map(numberOf).filter((number) => number !== numberOf(name))).toContain(replacement);
  });
});

test.each(files)('%s: relative links lead to files, and a link that is a number leads to that decision', (name) => {
  for (const [, label, target] of text(name).matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    expect(existsSync(join(FOLDER, target.split('#')[0])), target).toBe(true);
    if (/^\d{3}$/.test(label)) expect(target.startsWith(`${label}-`), `${label} → ${target}`).toBe(true);
  }
});

test.each(files)('%s: no line is longer than 160 characters', (name) => {
  expect(
    text(name)
      .split('\n')
      .filter((line) => line.length > 160),
  ).toEqual([]);
});

test('numbers run from 001 on, each once, in the order of dates', () => {
  expect(decisions.map(numberOf)).toEqual(decisions.map((_, i) => String(i + 1).padStart(3, '0')));
  const dates = decisions.map((name) => headLine(name)?.[1]);
  expect(dates).toEqual([...dates].sort());
});

describe('the index', () => {
  const rooms = text('README.md').split(/^## /m).slice(1);
  const entries = rooms.map((room) => [...room.matchAll(/^- \[(\d{3})\]\(([^)]+)\) (.+) \(([^()]+)\)$/gm)]);

  test('lists each decision once and nothing else', () => {
    const listed = [...text('README.md').matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
    expect(listed.sort()).toEqual(decisions);
  });

  test('has number, title, date and what replaces it, as the file says, in a room in the order of numbers', () => {
    const found = entries.flat().map(([, number, target, title, when]) => ({ number, target, title, when }));
    const expected = decisions.map((target) => {
      const [, date, replacement] = headLine(target) ?? [];
      const number = numberOf(target);
      const title = text(target).split('\n')[0].slice('# 000 '.length);
      return { number, target, title, when: replacement ? `${date}, replaced by ${replacement}` : date };
    });
    expect(found.sort((a, b) => a.target.localeCompare(b.target))).toEqual(expected);
    for (const room of entries) {
      const numbers = room.map(([, number]) => number);
      expect(numbers).toEqual([...numbers].sort());
    }
  });
});
