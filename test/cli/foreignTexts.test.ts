import { describe, expect, it } from 'vitest';
import { dataError } from '../../cli/src/read/database.ts';
import { brief, reason } from '../../cli/src/write/temporary.ts';
import { workspace } from './run.ts';

const { run, write } = workspace();

/** A text of which an expression that ends in +$ tries every beginning: minutes, where an index from the end takes none. */
const dots = `${'. '.repeat(5_000_000)}x`;

describe('what others say, as a part of a message', () => {
  it('is one line of 300 characters at most, without full stops at its end', () => {
    expect(brief('no such file.. \n at x')).toBe('no such file');
    expect(brief('...')).toBe('');
    expect(brief(dots)).toBe(`${dots.slice(0, 300)}…`);
    expect(reason(new Error(dots))).toHaveLength(301);
  });

  it('of DuckDB, a line of the file in it too', () => {
    for (const text of [dots, `CSV Error on Line: 7\n${dots}`]) {
      expect(dataError('a.csv', new Error(text)).message.length).toBeLessThan(400);
    }
    expect(dataError('a.csv', new Error('IO Error: no such thing.\n\nLINE 1: x')).message).toBe(
      'a.csv: cannot be read: no such thing; correct it and run again',
    );
    const long = `select 1 as y from "${'x'.repeat(5000)}"`;
    const { stderr } = run(['train', '--query', long, '--target', 'y', '--out', 'm.safetensors']);
    expect(stderr).toMatch(/^ERR_DATA --query: cannot be read: .{200,301}; correct it and run again\n$/);
  });

  it('a query may end in any number of semicolons and blanks', () => {
    write('two.csv', 'x,y\n1,0\n2,1\n3,0\n4,1\n');
    const query = `select * from 'two.csv'${' ;\n'.repeat(30_000)}`;
    expect(run(['doctor', '--query', query, '--target', 'y'])).toMatchObject({ status: 0 });
  });
});
