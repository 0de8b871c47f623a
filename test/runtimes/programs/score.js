import { loadModel, pickEngine } from 'logodds/score';
import { conform } from './conform.js';

export default (sets) => conform({ loadModel, engines: { auto: pickEngine(), js: pickEngine('js') } }, sets);
