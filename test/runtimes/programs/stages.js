import { loadModel, pickEngine } from 'logodds/score';
import * as stages from 'logodds/stages';
import { conformStages } from './conformStages.js';

export default (sets) =>
  conformStages({ loadModel, engines: { auto: pickEngine(), js: pickEngine('js') }, stages }, sets);
