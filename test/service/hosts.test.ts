// The table of requests that every host answers alike (`npm run test:service -- hosts`), asked of `fetch`.
import { describe, expect, test } from 'vitest';
import { createService, type ModelSource } from '../../service/src/index.ts';

// plain JavaScript, without declarations
const { MANY_MODELS, MODELS, ONE_MODEL, file } = await import(new URL('./hosts/requests.mjs', import.meta.url).href);
const { direct } = await import(new URL('./hosts/answers.mjs', import.meta.url).href);

interface Asked {
  readonly name: string;
  readonly status: number;
  readonly says: readonly (string | RegExp)[];
  readonly headers: Readonly<Record<string, string>>;
}

const sourceOf = (name: string): ModelSource => ({ name, model: file(MODELS[name]) });
const serviceOf = (names: readonly string[]) => createService({ models: names.map(sourceOf), source: sourceOf });

describe.each([
  ['several models', serviceOf(Object.keys(MODELS)), MANY_MODELS],
  ['one model', serviceOf(['codes']), ONE_MODEL],
] as [string, ReturnType<typeof serviceOf>, Asked[]][])('a service of %s', (_, service, asked) => {
  test.each(asked.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const { status, headers, text } = await direct(service, one);
    const body = Buffer.from(text, 'latin1').toString();
    expect(status, body).toBe(one.status);
    for (const said of one.says)
      if (typeof said === 'string') expect(body).toContain(said);
      else expect(body).toMatch(said);
    if (status < 400) return;
    expect(headers['content-type']).toBe('application/json');
    const { error } = JSON.parse(body);
    expect(error).toMatch(/^[^\n]{10,300}$/);
    expect(error).not.toMatch(/node_modules|\.[jt]s\b|\bat .*:\d+/);
  });
});

test('the table is of every protocol, and no request is in it twice', () => {
  const names = [...MANY_MODELS, ...ONE_MODEL].map(({ name, path }) => `${name} ${path}`);
  expect(names.length).toBeGreaterThan(150);
  const many = MANY_MODELS.map(({ name }: Asked) => name);
  expect(new Set(many).size).toBe(many.length);
});
