// deno run --allow-net --allow-read --allow-env server.ts      MODEL: path of the model file, PORT: 8000 unless set
import { loadModel } from 'logodds/score';
import { scoreHandler } from '../score-request.mjs';

const path = Deno.env.get('MODEL') ?? new URL('../page/flights.safetensors', import.meta.url);
const model = loadModel(await Deno.readFile(path));

const server = Deno.serve(
  { port: Number(Deno.env.get('PORT') ?? 8000) },
  scoreHandler(() => model),
);
Deno.addSignalListener('SIGTERM', () => server.shutdown());
await server.finished;
Deno.exit();
