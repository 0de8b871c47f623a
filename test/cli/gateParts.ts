export { fit, type Model, saveModel } from '../../src/index.ts';
export { splitmix32 } from '../../src/math/random.ts';
