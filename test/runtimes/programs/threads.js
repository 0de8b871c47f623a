import { loadModel } from 'logodds/score';
import { threadedEngine } from 'logodds/threads';
import { conform } from './conform.js';

export default async (sets) => {
  const engine = threadedEngine({ threads: 2 });
  try {
    await engine.ready();
    return conform({ loadModel, engines: { auto: engine }, repeat: 512 }, sets);
  } finally {
    engine.close();
  }
};
