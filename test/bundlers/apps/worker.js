// The models come as the body of a request.
import { answer } from './answer.js';

export default {
  async fetch(request) {
    return Response.json(await answer(await request.json()));
  },
};
