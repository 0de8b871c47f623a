// node server.mjs      MODEL: path of the model file, PORT: 8000, HOST: 127.0.0.1 unless set, THREADS: one for each processor unless set
// MAX_BYTES: limit of one body, 1 MiB unless set
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { loadModel } from 'logodds';
import { createService } from './service.mjs';

const path = process.env.MODEL ?? new URL('../page/flights.safetensors', import.meta.url);
const threads = Number(process.env.THREADS ?? availableParallelism());

const maxBytes = Number(process.env.MAX_BYTES ?? 1 << 20);

const service = createService({ model: loadModel(readFileSync(path)), threads, maxBytes });
await service.ready();
service.server.listen(Number(process.env.PORT ?? 8000), process.env.HOST ?? '127.0.0.1', () => {
  const { address, port } = service.server.address();
  console.log(`Listening on http://${address}:${port} with ${threads} threads`);
});

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => service.close());
