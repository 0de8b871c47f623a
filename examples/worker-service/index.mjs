// A Cloudflare Worker that is a whole service: every model of an R2 bucket, or of a KV namespace, behind every protocol of @logodds/service.
import { createService } from '@logodds/service';
import { kvStore, ModelsOf, r2Store } from './models.mjs';

// a line for each request, and for each change of the models
const log = (line) => console[line.level](JSON.stringify(line));
const service = createService({ log, logRequests: true });
const models = new ModelsOf(service.models, log);

/** What changes the models of one isolate among many: here the store decides, whoever asks. */
const CHANGES = /^\/v2\/repository\/models\//;

export default {
  async fetch(request, env, context) {
    if (CHANGES.test(new URL(request.url).pathname))
      return refused(
        403,
        'ERR_STORE',
        'models: expected a change of their store, got one of an isolate; write to R2 or KV',
      );
    const { BUCKET, NAMESPACE, MODEL_CHECK_SECONDS = 60 } = env;
    const store = BUCKET ? r2Store(BUCKET) : kvStore(NAMESPACE);
    if (models.isEmpty) {
      if (!(await models.look(store)))
        return refused(503, 'ERR_NOT_READY', 'models: expected an answer of their store, got none; try again');
    } else if (models.age >= 1000 * MODEL_CHECK_SECONDS) context.waitUntil(models.look(store));
    return service.fetch(request, { address: request.headers.get('cf-connecting-ip') ?? undefined });
  },
};

const refused = (status, code, error) => Response.json({ error, code }, { status, headers: { 'retry-after': '1' } });
