import { pickEngine } from 'logodds';
import { loadModel } from 'logodds/score';
import * as stages from 'logodds/stages';
import { conformStages } from './conformStages.js';

// engines of the full package, which have f32
export default (sets) =>
  conformStages({ loadModel, engines: { auto: pickEngine(), js: pickEngine('js') }, stages }, sets);
