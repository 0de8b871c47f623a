// The full library, the engine with training included.
import { loadModel, pickEngine, tableFromRecords } from 'logodds';
import { conform } from './conform.js';

export const answer = (sets) => conform({ loadModel, engine: pickEngine(), table: tableFromRecords }, sets);
