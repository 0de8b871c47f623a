import { fit, saveModel, tableFromRecords } from 'logodds';
import { CsvReader } from '../../cli/src/serve/observation/csvPieces.ts';
import {
  createService,
  type Ended,
  type LogLine,
  Routing,
  type Segment,
  type Segments,
  type ServiceOptions,
} from '../../service/src/index.ts';

/** A model of fields, which differs from others by its seed. */
export function modelOf(seed: number, fields: readonly string[] = ['amount', 'country', 'kind'], more: object = {}) {
  const rows = Array.from({ length: 120 }, (_, i) => ({
    amount: Math.round(2000 * Math.abs(Math.sin(seed + i))) / 2,
    country: ['DE', 'FR', 'GB'][i % 3],
    kind: ['card', 'bank'][(i * 7 + seed) % 2],
    age: 20 + ((i * 13) % 50),
    y: Math.sin(3 * i + seed) + 0.3 * Math.cos(i) > 0.1 ? 'yes' : 'no',
  }));
  const { model } = fit(tableFromRecords(rows), {
    target: 'y',
    positive: 'yes',
    ...(fields.length > 0 && { features: [...fields] }),
    ...more,
  } as Parameters<typeof fit>[1]);
  return saveModel(model);
}

export const MODELS = {
  'fraud-de': modelOf(1, ['amount', 'kind']),
  'fraud-large': modelOf(2, ['amount', 'country', 'age']),
  fraud: modelOf(3),
  next: modelOf(4, ['amount', 'kind']),
};

export const to = (model: string, version: string | null = null) => ({ model, version });
export const SEGMENTS: readonly Segment[] = [
  { name: 'de', when: { country: 'DE' }, by: to('fraud-de') },
  { name: 'large', when: { country: { not: 'DE' }, amount: { '>=': 500 } }, by: to('fraud-large') },
  { name: 'rest', when: 'otherwise', by: to('fraud') },
];

/** A route of a segment that has a challenger. */
export const routeBy = (champion: string, challenger: string, share: number, more: object = {}) => ({
  name: 'any',
  id: '1',
  champion: to(champion),
  arms: [{ ...to(challenger), name: 'challenger', share }],
  salt: 'autumn',
  key: null,
  ...more,
});

/** A service whose model `fraud` has segments, and ways to ask it. */
export function divided(
  segments: readonly Segment[] = SEGMENTS,
  options: ServiceOptions & { readonly models?: never; readonly files?: Readonly<Record<string, Uint8Array>> } = {},
  more: Partial<Segments> = {},
) {
  const { files = MODELS, ...others } = options;
  const ended: Ended[] = [];
  const lines: LogLine[] = [];
  const routing = new Routing({
    onBreach: (one) => ended.push(one),
    csv: (fields) => new CsvReader({ fields }),
    pairs: { share: 1 },
  });
  const service = createService({
    ...others,
    models: Object.entries(files).map(([name, model]) => ({
      name,
      version: `${name}-1`,
      model: Uint8Array.from(model),
    })),
    routing,
    log: (line) => lines.push(line),
  });
  routing.divide({ name: 'fraud', segments, ...more });
  const post = async (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    service.fetch(
      new Request(`http://localhost${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
        duplex: 'half',
      } as RequestInit),
    );
  const get = async (path: string) => (await service.fetch(new Request(`http://localhost${path}`))).json();
  return { service, routing, post, get, ended, lines };
}
