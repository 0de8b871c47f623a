// bun server.ts      MODEL: path of the model file, PORT: 8000, HOST: 127.0.0.1 unless set
import { loadModel } from 'logodds/score';
import { scoreHandler } from '../score-request.mjs';

const path = process.env.MODEL ?? new URL('../page/flights.safetensors', import.meta.url);
const model = loadModel(await Bun.file(path).bytes());

const server = Bun.serve({
  hostname: process.env.HOST ?? '127.0.0.1',
  port: Number(process.env.PORT ?? 8000),
  fetch: scoreHandler(() => model),
});
console.log(`Listening on ${server.url}`);
process.on('SIGTERM', async () => {
  await server.stop();
  process.exit();
});
