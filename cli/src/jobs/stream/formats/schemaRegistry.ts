import { LogoddsError } from '../../../../../src/index.ts';
import { withoutSecrets } from '../../../terminal/secrets.ts';
import { reason } from '../../../write/temporary.ts';

const TIMEOUT_MS = 10_000;
const ACCEPT = 'application/vnd.schemaregistry.v1+json';

/** What a registry says of a schema. */
interface Told {
  readonly schema: string;
  /** absent: AVRO */
  readonly schemaType?: string;
  readonly references?: readonly unknown[];
}

/**
 * A registry of schemas, by its REST: GET /schemas/ids/ID, POST /subjects/SUBJECT/versions.
 * Source: https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */
export class SchemaRegistry {
  readonly #base: string;
  readonly #headers: Record<string, string>;

  /** @param url  a name and a password before the host are sent as basic authentication @throws ERR_DATA for what is no URL of http */
  constructor(url: string) {
    let parsed: URL;
    try {
      parsed = new URL(url);
      if (!/^https?:$/.test(parsed.protocol)) throw new TypeError('protocol');
    } catch {
      throw new LogoddsError(
        'ERR_DATA',
        `--schema-registry: expected a URL of http or https, got ${withoutSecrets(url)}; correct it`,
      );
    }
    const { username, password } = parsed;
    this.#headers = { accept: ACCEPT };
    if (username !== '')
      this.#headers['authorization'] =
        `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;
    parsed.username = '';
    parsed.password = '';
    this.#base = parsed.href.replace(/\/+$/, '');
  }

  /** The schema of an id; null: it has none. @throws ERR_DATA where the registry does not answer */
  async schema(id: number): Promise<string | LogoddsError> {
    const { status, body } = await this.#ask(`/schemas/ids/${id}`);
    if (status === 404)
      return new LogoddsError(
        'ERR_DATA',
        `message: expected a schema that the registry has, got id ${id}, which it has not; register the schema`,
      );
    const { schema, schemaType = 'AVRO', references = [] } = this.#told(status, body) as Told;
    if (schemaType !== 'AVRO' || references.length > 0)
      return new LogoddsError(
        'ERR_DATA',
        `message: expected a schema of Avro without references, got ${schemaType === 'AVRO' ? 'references' : schemaType} with id ${id}; register one that is whole`,
      );
    return schema;
  }

  /** Registers a schema, or finds it. Returns its id. @throws ERR_DATA */
  async register(subject: string, schema: object): Promise<number> {
    const { status, body } = await this.#ask(`/subjects/${encodeURIComponent(subject)}/versions`, {
      method: 'POST',
      body: JSON.stringify({ schema: JSON.stringify(schema) }),
    });
    return (this.#told(status, body) as { id: number }).id;
  }

  async #ask(path: string, init: { method?: string; body?: string } = {}): Promise<{ status: number; body: string }> {
    const headers = { ...this.#headers, ...(init.body !== undefined && { 'content-type': ACCEPT }) };
    try {
      const response = await fetch(this.#base + path, { ...init, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      throw this.#failed(reason((error as Error).cause ?? error), error);
    }
  }

  #told(status: number, body: string): unknown {
    if (status !== 200) throw this.#failed(`status ${status}, ${body.slice(0, 200)}`);
    try {
      return JSON.parse(body);
    } catch (error) {
      throw this.#failed('no JSON', error);
    }
  }

  #failed(got: string, cause?: unknown): LogoddsError {
    return new LogoddsError(
      'ERR_DATA',
      `schema registry ${this.#base}: expected an answer, got ${got}; check --schema-registry`,
      { cause },
    );
  }
}
