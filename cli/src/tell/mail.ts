import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { createTransport } from 'nodemailer';
import { brief } from '../write/temporary.ts';
import { mailOf } from './forms.ts';
import type { Outgoing } from './receivers.ts';

/** The port at which TLS begins before SMTP does. */
const SMTPS = 465;

/** A server that says a word now and then keeps within each limit, and must not keep us: so many times the limit is all it has. */
const ALTOGETHER = 6;

/** Sends a message by SMTP. @returns null where the server took it */
export async function sendMail(
  { server, telling, to, from }: Outgoing & { kind: 'mail' },
  timeout: number,
): Promise<{ readonly why: string; readonly isFinal: boolean } | null> {
  const { host, port, tls, user, password } = server;
  const transport = createTransport({
    host,
    port,
    secure: tls && port === SMTPS,
    requireTLS: tls && port !== SMTPS,
    ignoreTLS: !tls,
    ...(user !== null && { auth: { user, pass: password ?? '' } }),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    // neither files nor addresses may become part of a message
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // what belongs together is shown together
  const thread = `<${createHash('sha256').update(telling.key).digest('hex').slice(0, 32)}@${hostname()}>`;
  let clock: NodeJS.Timeout | undefined;
  const isLate = new Promise<never>((_, reject) => {
    const late = () => reject(new Error(`no answer within ${(ALTOGETHER * timeout) / 1000} s`));
    clock = setTimeout(late, ALTOGETHER * timeout).unref();
  });
  try {
    const sent = transport.sendMail({
      to,
      from,
      ...mailOf(telling),
      references: thread,
      inReplyTo: thread,
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...(telling.severity === 'page' && { priority: 'high' }),
    });
    // one that ends after the race is lost
    sent.catch(() => {});
    await Promise.race([sent, isLate]);
    return null;
  } catch (error) {
    const { responseCode = 0, code = '', message } = error as { responseCode?: number; code?: string; message: string };
    // what a server refuses for good, and a password that is wrong
    return { why: brief(message), isFinal: responseCode >= 500 || code === 'EAUTH' };
  } finally {
    clearTimeout(clock);
    transport.close();
  }
}
