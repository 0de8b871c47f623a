// An OpenID Connect issuer, oidc-provider as its registry has it, with one client. Prints its URL.
//   node issuer.mjs PACKAGE PORT KID
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';

const [path, port, kid] = process.argv.slice(2);
const { Provider } = await import(path);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const server = createServer();
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
const url = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(url, {
  clients: [
    {
      client_id: 'shop',
      client_secret: 'a secret of a test',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
  ],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'score:codes score:numeric read',
        audience: resource,
        accessTokenTTL: 600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256', kid } },
      }),
    },
  },
});
server.on('request', provider.callback());
console.log(JSON.stringify({ url }));
