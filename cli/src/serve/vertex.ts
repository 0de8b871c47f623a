/*
 * What Vertex AI asks of a container, by the variables of its environment.
 *
 *   AIP_HTTP_PORT       the port
 *   AIP_HEALTH_ROUTE    the path that answers whether it is ready
 *   AIP_PREDICT_ROUTE   the path of predictions: {"instances": […]} → {"predictions": […]}
 */

/** What the environment asks for. */
export interface FromEnvironment {
  readonly values: { readonly port?: number };
  /** paths that are answered as others are */
  readonly aliases: Readonly<Record<string, string>>;
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

const ROUTES = [
  ['AIP_HEALTH_ROUTE', '/v2/health/ready'],
  ['AIP_PREDICT_ROUTE', '/invocations'],
] as const;

export function fromEnvironment(env: NodeJS.ProcessEnv): FromEnvironment {
  const { AIP_HTTP_PORT: port } = env;
  const problems: { path: string; message: string }[] = [];
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) < 65_536))
    problems.push({ path: 'AIP_HTTP_PORT', message: 'expected a port, got something else; set a number, or unset it' });
  const aliases: Record<string, string> = {};
  for (const [name, target] of ROUTES) {
    const path = env[name];
    if (path === undefined) continue;
    if (/^\/[^?#*\s]+$/.test(path)) aliases[path] = target;
    else
      problems.push({
        path: name,
        message: 'expected a path that begins with /, got something else; set one, or unset it',
      });
  }
  return { values: port === undefined || problems.length > 0 ? {} : { port: Number(port) }, aliases, problems };
}
