export { fit, type Model } from '../../src/index.ts';
export { splitmix32 } from '../../src/math/random.ts';
