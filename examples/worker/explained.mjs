// A Worker that answers with a calibrated probability, the decision its costs make, and the reasons for it: scoring and the stages that this
// model needs. `node examples/decide.mjs examples/worker/late.safetensors` trains it.
import { loadModel } from 'logodds/score';
import { encoders, outcomes, reasons } from 'logodds/stages';
import { scoreHandler } from '../score-request.mjs';
import bytes from './late.safetensors';

const model = loadModel(bytes, { encoders, outcomes });

/** `model.score` with the two features that pushed most towards the label. */
const explained = {
  sha256: model.sha256,
  score(record) {
    const score = model.score(record);
    return { ...score, reasons: reasons(model, record, { k: 2 }) };
  },
};

export default { fetch: scoreHandler(() => explained) };
