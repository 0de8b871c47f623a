import { loadModel } from 'logodds/score';
import { f32 } from 'logodds/stages';
import { threadedEngine } from 'logodds/threads';
import { conform } from './conform.js';

export default async (sets) => {
  const engine = threadedEngine({ threads: 2 });
  try {
    await engine.ready();
    const load = (bytes) => loadModel(bytes, { f32 });
    const repeat = engine.threads > 1 ? 256 : 1;
    return conform({ loadModel: load, engines: { auto: engine }, precisions: ['f64', 'f32'], repeat }, sets);
  } finally {
    engine.close();
  }
};
