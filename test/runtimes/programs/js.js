import { loadModel, pickEngine } from 'logodds/js';
import { conform } from './conform.js';

export default (sets) => conform({ loadModel, engines: { js: pickEngine() } }, sets);
