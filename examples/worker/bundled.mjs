// A Cloudflare Worker with its model in the bundle: a new model is a new deployment, and a rollback is a rollback.
import { loadModel } from 'logodds/score';
import bytes from '../page/flights.safetensors';
import { scoreHandler } from '../score-request.mjs';

const model = loadModel(bytes);

export default { fetch: scoreHandler(() => model) };
