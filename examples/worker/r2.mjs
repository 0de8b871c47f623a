// A Cloudflare Worker with its model in R2: one conditional read tells whether the object is still the one in the isolate.
import { LogoddsError } from 'logodds/score';
import { scoreHandler } from '../score-request.mjs';
import { cachedModel } from './cached.mjs';

const getModel = cachedModel(async ({ MODELS, MODEL_KEY }, version) => {
  const onlyIf = version === null ? undefined : { etagDoesNotMatch: version };
  const object = await MODELS.get(MODEL_KEY, { onlyIf });
  if (!object) {
    const next = 'upload it with wrangler r2 object put';
    throw new LogoddsError('ERR_DATA', `R2 object "${MODEL_KEY}": expected a model, got nothing; ${next}`);
  }
  // without a body the condition did not hold: nothing new
  return 'body' in object && object.body ? { version: object.etag, bytes: await object.arrayBuffer() } : null;
});

export default { fetch: scoreHandler(getModel) };
