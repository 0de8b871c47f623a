import { LogoddsError } from '../../../../../src/index.ts';
import { wrongUsage } from '../../../errors.ts';
import type { Security } from '../security.ts';
import type { Broker } from './cluster.ts';
import type { ConnectionOptions } from './library.ts';
import { type KafkaOptions, KafkaTransport } from './transport.ts';

/** Opens the transport of brokers that a text names, HOST:PORT,… @throws ERR_RANGE for a text that is none; ERR_DATA */
export const openKafka = (
  brokers: string,
  security: Security,
  options: Omit<KafkaOptions, 'brokers' | 'connection'>,
): Promise<KafkaTransport> =>
  KafkaTransport.open({ ...options, brokers: brokers.split(',').map(brokerOf), connection: connectionOf(security) });

function brokerOf(text: string): Broker {
  const [, host, port] =
    /^\s*(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})\s*$/.exec(text)?.filter((part) => part !== undefined) ?? [];
  if (port === undefined || Number(port) > 65_535)
    throw wrongUsage(
      new LogoddsError(
        'ERR_RANGE',
        `--brokers: expected HOST:PORT, several with commas between them, got ${text}; correct it`,
      ),
    );
  return { host, port: Number(port) };
}

function connectionOf({ tls, login }: Security): ConnectionOptions {
  const sasl = login && {
    mechanism: login.mechanism as 'PLAIN',
    ...(login.mechanism === 'OAUTHBEARER'
      ? { token: login.secret }
      : { username: login.username, password: login.secret }),
  };
  return { ...(tls && { tls, tlsServerName: true }), ...(sasl && { sasl }) };
}
