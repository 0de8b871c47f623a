import { join, sep } from 'node:path';

/** The file of a folder that an address names; null for one outside, or none that is a name. */
export function fileOf(folder, url) {
  try {
    const path = join(folder, decodeURIComponent(new URL(url, 'http://host').pathname));
    return path.startsWith(folder + sep) && !path.includes('\0') ? path : null;
  } catch {
    return null;
  }
}
