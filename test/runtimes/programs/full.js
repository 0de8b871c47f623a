import { loadModel, pickEngine } from 'logodds';
import { conform } from './conform.js';

export default (sets) =>
  conform({ loadModel, engines: { auto: pickEngine(), js: pickEngine('js') }, precisions: ['f64', 'f32'] }, sets);
