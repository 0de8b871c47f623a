// node server.mjs      MODEL: path of the model file, PORT: 8000 unless set, THREADS: one for each processor unless set
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { loadModel } from 'logodds';
import { createService } from './service.mjs';

const path = process.env.MODEL ?? new URL('../page/flights.safetensors', import.meta.url);
const threads = Number(process.env.THREADS ?? availableParallelism());

const service = createService({ model: loadModel(readFileSync(path)), threads });
await service.ready();
service.server.listen(Number(process.env.PORT ?? 8000), () => {
  console.log(`Listening on http://localhost:${service.server.address().port} with ${threads} threads`);
});

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => service.close());
