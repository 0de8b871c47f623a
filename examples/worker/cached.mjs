import { loadModel } from 'logodds/score';

/**
 * A model from outside, kept in the isolate and asked for again after `env.MODEL_CHECK_SECONDS`. When a newer one cannot be
 * read or does not load, the old one goes on. Requests share the model, never a pending read: a Worker may not wait for
 * the input of another request.
 * @param {(env: any, version: string | null) => Promise<{ version: string, bytes: ArrayBuffer } | null>} read  null when
 *   `version` is still the current one
 */
export function cachedModel(read) {
  let model = null;
  let version = null;
  let checkedAt = 0;
  return async (env) => {
    if (model && Date.now() - checkedAt < 1000 * Number(env.MODEL_CHECK_SECONDS)) return model;
    try {
      const found = await read(env, version);
      if (found) {
        model = loadModel(found.bytes);
        version = found.version;
      }
    } catch (error) {
      if (!model) throw error;
      console.error(error);
    }
    checkedAt = Date.now();
    return model;
  };
}
