// The npm package oidc-provider, run as a child process by the Go package idp.
//
// Lines of JSON on stdin and stdout control it. First it writes {"issuer": URL}, once it listens on a free loopback
// port. Then each line that it reads is the whole configuration,
//
//   {"jwks": {"keys": [private JWKs, the signing key first]},
//    "clients": [{"id": "", "secret": "", "audience": [""], "permissions": {},
//                 "redirect_uri": "", "backchannel_logout_uri": ""}],
//    "down": false}
//
// (with a redirect_uri, users sign in at the client, and its access tokens and logout tokens have the same sid;
// without one it gets tokens for itself), and it writes {} when that is in force. A new provider takes over between
// two requests, on the same port, on which it does not listen while down is true. An invalid configuration ends the
// process, with the reason on stderr. So does the end of stdin: the process cannot outlive the test that started it.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { Provider } from 'oidc-provider';

console.log = console.info = console.error; // stdout is for answers alone
const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

function build(issuer, { jwks, clients }) {
  const byID = new Map(clients.map((client) => [client.id, client]));

  const provider = new Provider(issuer, {
    jwks, // oidc-provider signs with the first key
    clients: clients.map(({ id, secret, redirect_uri, backchannel_logout_uri }) => ({
      client_id: id,
      client_secret: secret,
      ...(redirect_uri ? {
        grant_types: ['authorization_code'],
        redirect_uris: [redirect_uri],
        response_types: ['code'],
        backchannel_logout_uri,
        backchannel_logout_session_required: true,
      } : {
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      }),
    })),
    ttl: { ClientCredentials: 300, AccessToken: 300, Session: 3600, Grant: 3600, Interaction: 600, IdToken: 300 },
    // Its own fetch refuses loopback addresses, where the tests' services are.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    features: {
      devInteractions: { enabled: clients.some(({ redirect_uri }) => redirect_uri) },
      backchannelLogout: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // An access token is a JWT only if the client names a resource (RFC 8707). The token always has the
        // client's own audience, which may be any string.
        getResourceServerInfo: (ctx, resource, { clientId }) => ({
          audience: byID.get(clientId).audience[0],
          scope: '',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: async (ctx, { clientId, sessionUid }) => {
      const { permissions } = byID.get(clientId);
      const session = sessionUid && await provider.Session.findByUid(sessionUid);
      return { ...(permissions && { permissions }), ...(session && { sid: session.sidFor(clientId) }) };
    },
    formats: {
      customizers: {
        // oidc-provider itself has one audience per token, a string. This hook writes an array.
        jwt: (ctx, { clientId }, { payload }) => {
          const { audience } = byID.get(clientId);
          if (audience.length > 1) payload.aud = audience;
        },
      },
    },
  });
  provider.on('server_error', (ctx, err) => console.error(err));
  provider.on('backchannel.error', (ctx, err) => console.error(err));
  return provider.callback();
}

let handle;
const server = createServer((req, res) => handle(req, res)).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;
answer({ issuer });

for await (const line of createInterface({ input: process.stdin })) {
  const { down, ...configuration } = JSON.parse(line);
  handle = build(issuer, configuration);
  if (down && server.listening) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  } else if (!down && !server.listening) {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }
  answer({});
}
process.exit(0);
