import { readFileSync } from 'node:fs';
import { loadModel } from 'logodds';
import { createService, type LogLine, type ServiceOptions } from '../../service/src/index.ts';

/** Models of the conformance sets: numbers; categories; several classes; one with codes as categories. */
const FILES = {
  numeric: 'conformance/numeric',
  categorical: 'conformance/categorical',
  classes: 'conformance/stages/classes',
  codes: 'conformance/codes',
  rich: 'fuzz/rich',
};
export type Name = keyof typeof FILES;

const read = (file: string) => readFileSync(new URL(`../${file}.safetensors`, import.meta.url));
export const bytes = Object.fromEntries(Object.entries(FILES).map(([name, file]) => [name, read(file)])) as Record<
  Name,
  Buffer
>;
export const models = Object.fromEntries(
  Object.entries(bytes).map(([name, file]) => [name, loadModel(file)]),
) as Record<Name, ReturnType<typeof loadModel>>;

/** A service with some models, what it logs, and a way to ask it. */
export const serviceOf = (...names: Name[]) => serviceWith({}, ...names);

export function serviceWith(options: ServiceOptions, ...names: Name[]) {
  const lines: LogLine[] = [];
  const service = createService({
    logRequests: true,
    ...options,
    models: names.map((name) => ({ name, model: bytes[name] })),
    log: (line) => lines.push(line),
  });
  const ask = async (
    path: string,
    body?: BodyInit,
    headers: Record<string, string> = {},
    method = body === undefined ? 'GET' : 'POST',
  ) => service.fetch(new Request(`http://localhost${path}`, { method, body, headers }));
  return { service, ask, lines };
}

export const JSON_TYPE = { 'content-type': 'application/json' };
