import { loadModel, pickEngine } from 'logodds/js';
import { conform } from './conform.js';

export const answer = (sets) => conform({ loadModel, engine: pickEngine() }, sets);
