import { loadModel } from 'logodds/score';
import { threadedEngine } from 'logodds/threads';
import { conform } from './conform.js';

export default async (sets) => {
  const engine = threadedEngine({ threads: 2 });
  try {
    await engine.ready();
    return conform({ loadModel, engines: { auto: engine }, repeat: engine.threads > 1 ? 256 : 1 }, sets);
  } finally {
    engine.close();
  }
};
