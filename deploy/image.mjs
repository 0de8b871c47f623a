// node deploy/image.mjs FOLDER: lays out the file system of the image (deploy/Dockerfile), on a Debian with node and binutils, in a checkout that is built.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const image = process.argv[2];

/** What other commands need, SQL and Parquet, charts, and the command line of a library. */
const NOT_SERVED = ['@duckdb/node-bindings', 'vega', 'vega-lite', 'yargs'];
const NOT_SERVED_FILES = /duckdb/i;
/** Of packages, what is not run. */
const NOT_RUN =
  /\.(d\.[cm]?ts|map|md|tsbuildinfo)$|[\\/](hono[\\/]dist[\\/](cjs|types)|protobufjs[\\/]dist|grpc-js[\\/]src)$/;

const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const put = (from, to = from) => {
  mkdirSync(dirname(join(image, to)), { recursive: true });
  copyFileSync(realpathSync(from), join(image, to));
};
const write = (path, text) => {
  mkdirSync(dirname(join(image, path)), { recursive: true });
  writeFileSync(join(image, path), text);
};

function putNode() {
  put(process.execPath, 'usr/local/bin/node');
  // symbols for debuggers alone: 18 MB
  run('strip', join(image, 'usr/local/bin/node'));
  chmodSync(join(image, 'usr/local/bin/node'), 0o755);
  const libraries = [...run('ldd', process.execPath).matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path);
  for (const path of libraries) put(path);
  putPackages(new Set(libraries.map(packageOf)));
}

/** The Debian package of a file. Packages know it by its path before or after /lib became a link to /usr/lib. */
function packageOf(path) {
  const paths = [path, realpathSync(path), realpathSync(path).replace(/^\/usr/, '')];
  for (const one of paths) {
    try {
      return run('dpkg-query', '--search', one).split(':')[0];
    } catch {}
  }
  throw new Error(`${path}: expected a file of a Debian package, got none; build on an image of Debian`);
}

/** What scanners of vulnerabilities read, and the licences. */
function putPackages(names) {
  for (const name of names) {
    write(`var/lib/dpkg/status.d/${name}`, run('dpkg-query', '--status', name));
    const licence = `/usr/share/doc/${name}/copyright`;
    if (existsSync(licence)) put(licence);
  }
  put('/etc/os-release');
}

/** The command, and the locked packages that `serve` needs, with what they depend on. */
function putApp() {
  for (const folder of ['bin', 'dist', 'proto', 'package.json', 'LICENSE'])
    cpSync(join(root, 'cli', folder), join(image, 'app', folder), {
      recursive: true,
      filter: (path) => !NOT_SERVED_FILES.test(path),
    });
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const seen = new Set();
  const visit = (name, from) => {
    if (NOT_SERVED.includes(name)) return;
    const path = placeOf(name, from);
    if (!path || seen.has(path)) return;
    seen.add(path);
    const { dependencies = {}, optionalDependencies = {} } = packages[path];
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) visit(next, path);
  };
  /** where node finds a package: beside who needs it, or above */
  const placeOf = (name, from) => {
    for (let folder = from; ; folder = folder.replace(/(^|\/)(node_modules\/(@[^/]+\/)?)?[^/]+$/, '')) {
      const path = join(folder, 'node_modules', name);
      if (packages[path]) return path;
      if (folder === '') return null;
    }
  };
  for (const name of Object.keys(packages.cli.dependencies)) visit(name, 'cli');
  for (const path of seen)
    cpSync(join(root, path), join(image, 'app', path.replace(/^cli\//, '')), {
      recursive: true,
      filter: (file) => !NOT_RUN.test(file) && !file.slice(join(root, path).length).includes('node_modules'),
    });
}

putNode();
putApp();
write('etc/passwd', 'root:x:0:0:root:/:/nonexistent\nnonroot:x:65532:65532:nonroot:/tmp:/nonexistent\n');
write('etc/group', 'root:x:0:\nnonroot:x:65532:\n');
for (const folder of ['tmp', 'models']) mkdirSync(join(image, folder), { recursive: true });
chmodSync(join(image, 'tmp'), 0o1777);
