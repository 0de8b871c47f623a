import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { TARGETS } from '../../cli/src/jobs/export/export.ts';
import { workspace } from '../cli/run.ts';
import { kinds } from './kinds.ts';

/*
 * The table of docs/INTEROP.md: each cell is an export that was written or refused. LOGODDS_WRITE=1 writes the table anew.
 * What is written gives the scores of the model: the other tests of this folder run it.
 */

const PAGE = fileURLToPath(new URL('../../docs/INTEROP.md', import.meta.url));
const space = workspace();

const FORMATS = Object.keys(TARGETS).filter((name) => name !== 'ts');
const ENDINGS: Readonly<Record<string, string>> = { python: 'py', c: 'h' };

test('the table of docs/INTEROP.md is what export does', () => {
  const lines = [...kinds(space)].map(([what, file]) => {
    const cells = FORMATS.map((format) => {
      const out = format === 'java' ? 'M.java' : `m.${ENDINGS[format] ?? format}`;
      const { status, stderr } = space.run(['export', file, '--to', format, '--out', out]);
      if (status === 0) return 'yes';
      expect([what, format, stderr]).toEqual([
        what,
        format,
        expect.stringMatching(/^ERR_FORMAT .*: expected .*, got .*; .*\n$/),
      ]);
      return 'refused';
    });
    return `| ${what} | ${cells.join(' | ')} |`;
  });
  const table = [
    `| | ${FORMATS.map((name) => `\`${name}\``).join(' | ')} |`,
    `|---|${'---|'.repeat(FORMATS.length)}`,
    ...lines,
  ].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const found = /(?<=<!-- matrix -->\n\n)[\s\S]*?(?=\n\n<!-- end -->)/;
  if (process.env['LOGODDS_WRITE'] === '1') writeFileSync(PAGE, page.replace(found, table));
  else expect(found.exec(page)?.[0]).toBe(table);
});
