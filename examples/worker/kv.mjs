// A Cloudflare Worker with its model in KV. The key "current" holds the name of the key of the model: models are never
// overwritten, so no reader sees half of a change, and going back to the last one is writing its name.
import { LogoddsError } from 'logodds/score';
import { scoreHandler } from '../score-request.mjs';
import { cachedModel } from './cached.mjs';

const getModel = cachedModel(async ({ MODELS }, version) => {
  const name = (await MODELS.get('current'))?.trim();
  if (!name) throw absent('current', 'the name of the key of a model');
  if (name === version) return null;
  const bytes = await MODELS.get(name, { type: 'arrayBuffer' });
  if (!bytes) throw absent(name, 'a model');
  return { version: name, bytes };
});

const absent = (key, what) =>
  new LogoddsError('ERR_DATA', `KV key "${key}": expected ${what}, got nothing; write it with wrangler kv key put`);

export default { fetch: scoreHandler(getModel) };
