import * as fs from 'node:fs';
import { userInfo } from 'node:os';
import { type Calls, DirectoryStore } from '../../../../registry/src/directory.ts';
import { type Act, type ModelRegistry, openMlflow, Registry, registryError } from '../../../../registry/src/index.ts';
import { note, warnAll } from '../../terminal/print.ts';
import { withoutSecrets } from '../../terminal/secrets.ts';
import { withUserMask } from '../../write/temporary.ts';

/** Where the registry is, and who changes it why. */
export interface RegistryFlags {
  /** absent: LOGODDS_REGISTRY, else ./registry */
  readonly registry?: string;
  readonly by?: string;
  readonly why?: string;
}

/** Others read a registry too: its files and folders are not private, as those of the command are. */
const SHARED: Calls = {
  ...fs,
  mkdirSync: ((...given: Parameters<typeof fs.mkdirSync>) =>
    withUserMask(() => fs.mkdirSync(...given))) as Calls['mkdirSync'],
  openSync: (...given) => withUserMask(() => fs.openSync(...given)),
};

/** What opens each kind of place. The first that fits opens it. */
const PLACES: readonly (readonly [fits: RegExp, open: (place: string) => Promise<ModelRegistry>])[] = [
  [
    /^s3:\/\//,
    async (place) => {
      // the SDK is loaded for a bucket alone
      const { S3Store } = await import('../../../../registry/src/s3.ts');
      return new Registry(new S3Store(place));
    },
  ],
  [/^mlflow\+https?:\/\//, async (place) => openMlflow(place)],
  [
    /^[a-z][a-z0-9+.-]+:\/\//i,
    async (place) => {
      throw registryError(
        'ERR_STORE',
        `${withoutSecrets(place)}: expected a folder, s3://BUCKET or mlflow+https://…, got another kind of place; correct --registry`,
      );
    },
  ],
  [/./, async (place) => new Registry(new DirectoryStore(checkFolder(place), SHARED))],
];

/** The place that is meant. */
export const placeOfRegistry = (given?: string): string => given ?? (process.env['LOGODDS_REGISTRY'] || 'registry');

/**
 * Opens a registry. Damage of its log is a warning: what is not damaged can be used.
 * @param given  absent: LOGODDS_REGISTRY, else ./registry
 * @param options  quiet: damage is no warning, and neither is a folder that is not there; makes: the command makes it
 * @throws ERR_STORE for a place that is none, or cannot be read; ERR_FORMAT for a log of a newer format
 */
export async function openRegistry(given?: string, { quiet = false, makes = false } = {}): Promise<ModelRegistry> {
  const place = placeOfRegistry(given);
  const open = PLACES.find(([fits]) => fits.test(place))?.[1];
  if (!open)
    throw registryError(
      'ERR_STORE',
      'registry: expected a folder, s3://BUCKET or mlflow+https://…, got an empty name; correct it',
    );
  const registry = await open(place);
  const faults = await registry.damage();
  if (quiet) return registry;
  if (!makes && !place.includes('://') && !fs.existsSync(place))
    note(`registry ${withoutSecrets(place)}: there is no such folder, so nothing is in it; logodds push makes one`);
  warnAll(
    faults.map(({ line, reason }) => ({
      code: 'REGISTRY_DAMAGED',
      message: `${registry.place}, log.jsonl, line ${line}: ${reason}; restore the line from a copy`,
      features: [],
    })),
  );
  return registry;
}

/** A folder of something else must not become a registry. */
function checkFolder(path: string): string {
  let names: string[];
  try {
    names = fs.readdirSync(path);
  } catch {
    // not there yet, or the store says why it cannot be read
    return path;
  }
  const others = names.filter((name) => !name.startsWith('.'));
  if (others.length > 0 && !others.includes('log.jsonl') && !others.includes('models'))
    throw registryError(
      'ERR_STORE',
      `registry ${path}: expected a registry or an empty folder, got a folder with ${others.slice(0, 3).join(', ')}; name another by --registry`,
    );
  return path;
}

/** Who does it and why: --by, else LOGODDS_USER, else the user of the system. */
export function actOf({ by, why }: RegistryFlags): Act {
  return {
    by: by || process.env['LOGODDS_USER'] || systemUser(),
    ...(why !== undefined && { why: withoutSecrets(why) }),
  };
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // an id without a name, as in some containers
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}
