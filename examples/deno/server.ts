// deno run --allow-net=127.0.0.1:8000 --allow-read=../.. --allow-env=MODEL,PORT,HOST server.ts
// MODEL: path of the model file, PORT: 8000 unless set, HOST: 127.0.0.1 unless set
import { loadModel } from 'logodds/score';
import { scoreHandler } from '../score-request.mjs';

const path = Deno.env.get('MODEL') ?? new URL('../page/flights.safetensors', import.meta.url);
const model = loadModel(await Deno.readFile(path));

const server = Deno.serve(
  { hostname: Deno.env.get('HOST') ?? '127.0.0.1', port: Number(Deno.env.get('PORT') ?? 8000) },
  scoreHandler(() => model),
);
Deno.addSignalListener('SIGTERM', () => server.shutdown());
await server.finished;
Deno.exit();
