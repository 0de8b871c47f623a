// Started by a page or by Node, which put the models into `globalThis.sets` and take what is in `globalThis.answer`.
import { answer } from './answer.js';

globalThis.answer = Promise.resolve()
  .then(() => answer(globalThis.sets))
  .catch((error) => ({ error: `${error.name}: ${error.message}` }));
