import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { names } from '../../cli/src/jobs/export/names.ts';
import { c, KEYWORDS } from '../../cli/src/jobs/export/targets/c.ts';
import { sweep } from '../full.ts';
import { type Case, cases, compare, INTEROP, isTyped, optionsOf, tokensOf } from './kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'logodds-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MAIN = `
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <stdint.h>
static void hexed(double x) {
  uint64_t bits;
  memcpy(&bits, &x, 8);
  if (x != x) printf("nan"); else printf("%016llx", (unsigned long long)bits);
}
static void label(const char *text) {
  putchar('"');
  for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
    if (*p == '"' || *p == '\\\\') printf("\\\\%c", *p);
    else if (*p < 32) printf("\\\\u%04x", *p);
    else putchar(*p);
  }
  puts("\\"");
}
static double number(const char *token) {
  uint64_t bits;
  double x;
  if (*token == '-') return NAN;
  bits = strtoull(token, 0, 16);
  memcpy(&x, &bits, 8);
  return x;
}
static const char *text(const char *token) {
  size_t n = strlen(token) / 2;
  char *out = malloc(n + 1);
  unsigned byte;
  if (*token == '-') return 0;
  for (size_t i = 0; i < n; i++) sscanf(token + 1 + 2 * i, "%2x", &byte), out[i] = (char)byte;
  out[n] = 0;
  return out;
}
`;

/** What reads the tokens of a model, and prints its score. */
function runner({ plan }: Case, i: number): string {
  const own = names(
    plan.inputs.map(({ name }) => name),
    '',
    KEYWORDS,
  );
  const fields = plan.inputs.map(
    ({ name, holds }) => `r.${own.get(name)} = ${holds === 'text' ? 'text' : 'number'}(strtok(0, " \\n"));`,
  );
  return `static void run${i}(void) {
  static m${i}_record r;
  m${i}_score s;
  ${fields.join('\n  ')}
  if (m${i}_score_of(&r, &s)) { puts("refused"); return; }
  hexed(s.logit); putchar(' '); hexed(s.probability); putchar(' '); hexed(s.defaulted); putchar(' '); hexed(s.out_of_range); printf(" %d ", s.review);
  ${plan.positive === null ? `for (int k = 0; k < ${plan.classes.length}; k++) hexed(s.logits[k]), putchar(' ');\n  for (int k = 0; k < ${plan.classes.length}; k++) hexed(s.probabilities[k]), putchar(' ');` : ''}
  label(s.label);
}`;
}

test.runIf(INTEROP).each([
  ['gcc', ['-O2']],
  ['gcc', ['-O3', '-march=native']],
])(
  'a header of C gives the bits of Model.score: %s %j',
  (compiler, flags) => {
    const all = cases(sweep(40, 400)).taken;
    const taken: Case[] = [];
    let program = MAIN;
    let refused = 0;
    for (const one of all) {
      try {
        const [{ text }] = c.print(() => one.plan, optionsOf(one, `m${taken.length}`));
        writeFileSync(join(folder, `m${taken.length}.h`), text);
      } catch (error) {
        expect((error as Error).message).toMatch(/expected one without a zero byte/);
        refused++;
        continue;
      }
      program += `#include "m${taken.length}.h"\n${runner(one, taken.length)}\n`;
      taken.push(one);
    }
    expect(refused).toBe(1);
    program += `int main(void) { static char line[1 << 20]; while (fgets(line, sizeof line, stdin)) switch (atoi(strtok(line, " \\n"))) {\n`;
    program += taken.map((_, i) => `case ${i}: run${i}(); break;`).join('\n');
    program += '\n} return 0; }\n';
    writeFileSync(join(folder, 'program.c'), program);
    execFileSync(compiler, ['-std=c99', '-Wall', '-Wextra', '-Werror', ...flags, '-o', 'program', 'program.c', '-lm'], {
      cwd: folder,
    });
    const headers = taken.map((_, i) => `#include "m${i}.h"\n`).join('');
    writeFileSync(join(folder, 'headers.cpp'), headers);
    execFileSync('g++', ['-std=c++17', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', 'headers.cpp'], { cwd: folder });
    const input = taken.flatMap(({ plan, records }, i) =>
      records.filter(isTyped).map((record) => `${i} ${tokensOf(plan, record)}\n`),
    );
    const lines = execFileSync(join(folder, 'program'), {
      input: input.join(''),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    }).split('\n');
    expect(compare(taken, lines, isTyped)).toBe(input.length);
  },
  300_000,
);

test('a field has no name that C or C++ keeps for itself', () => {
  const own = names(['class', 'int', 'age'], '', KEYWORDS);
  expect([...own.values()]).toEqual(['class_2', 'int_2', 'age']);
});
