import { type ChildProcess, spawn } from 'node:child_process';
import { createServer as createHttp, request, type Server } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

/** Which servers `npm run test:service -- registry-s3` has set up. */
export const GATEWAY = process.env['LOGODDS_TEST_VERSITYGW'];
export const MOTO = process.env['LOGODDS_TEST_MOTO'];

const KEY = { accessKeyId: 'tester', secretAccessKey: 'a-secret-of-a-test' };

/** What the command needs to ask a server. */
export const environment = (endpoint: string): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: KEY.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey,
  AWS_REGION: 'us-east-1',
  AWS_ENDPOINT_URL_S3: endpoint,
});

export const clientConfig = (endpoint: string) => ({ endpoint, credentials: KEY, forcePathStyle: true });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a server with a bucket `models`. @param folder  for its objects */
export async function startServer(kind: 'versitygw' | 'moto', folder: string) {
  const port = await freePort();
  const at = `127.0.0.1:${port}`;
  const [file, ...args] =
    kind === 'moto'
      ? [MOTO!, '-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)]
      : [
          GATEWAY!,
          '--access',
          KEY.accessKeyId,
          '--secret',
          KEY.secretAccessKey,
          '--port',
          at,
          '--quiet',
          'posix',
          folder,
        ];
  const child: ChildProcess = spawn(file, args, { stdio: 'ignore' });
  const endpoint = `http://${at}`;
  const isUp = () =>
    fetch(endpoint).then(
      () => true,
      () => false,
    );
  for (let i = 0; i < 300 && !(await isUp()); i++) await wait(100);
  const client = new S3Client({ region: 'us-east-1', ...clientConfig(endpoint) });
  await client.send(new CreateBucketCommand({ Bucket: 'models' }));
  client.destroy();
  return {
    endpoint,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What happens to a request, by its number from 1 on: it is passed on, its answer is lost, or the server is gone. */
export type Fate = (number: number) => 'passes' | 'loses its answer' | 'is refused';

/** A way to a server on which requests have fates. */
export async function startWay(endpoint: string, fate: Fate) {
  let made = 0;
  const { hostname, port } = new URL(endpoint);
  const server: Server = createHttp((incoming, outgoing) => {
    const now = fate(++made);
    if (now === 'is refused') {
      incoming.socket.destroy();
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      if (now === 'loses its answer') {
        answer.resume();
        answer.once('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    made: () => made,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
