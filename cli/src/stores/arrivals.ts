/**
 * Files of this run that stand for objects of a store. Such a file has the size of its object from the beginning, and its bytes arrive by ranges:
 * whoever reads it waits for them here. Of all other files everything has arrived.
 */

/** A file whose bytes arrive. */
export interface Arriving {
  /** Waits for these bytes. @throws ERR_STORE */
  need(start: number, end: number): Promise<void>;
  /** Waits for all, and compares them with what the store says of their sum. @throws ERR_STORE */
  whole(): Promise<void>;
  /** Begins to fetch bytes, without waiting. */
  ahead(start: number, end: number): void;
  /** The bytes in order, as they arrive. @throws ERR_STORE */
  pieces(): AsyncIterable<Buffer>;
}

const files = new Map<string, Arriving>();

/** Folders of this run, and the address that each stands for. */
const folders = new Map<string, string>();

export const arriving = (path: string): Arriving | undefined => files.get(path);

export const addArriving = (path: string, file: Arriving): void => void files.set(path, file);

export const removeArriving = (path: string): void => void files.delete(path);

/** Waits for some bytes of a file, all of them if it is not said which. @throws ERR_STORE */
export async function arrived(path: string, start?: number, end?: number): Promise<void> {
  const file = files.get(path);
  if (file) await (start === undefined || end === undefined ? file.whole() : file.need(start, end));
}

/** @param address  of the bucket, without a slash at its end */
export const addFolder = (folder: string, address: string): void => void folders.set(folder, address);

/** At the beginning of a run: what the last one says at its end still needs them. */
export const forgetFolders = (): void => folders.clear();

/** Paths of this run in a text become the addresses that they stand for. */
export function asGiven(text: string): string {
  let given = text;
  for (const [folder, address] of folders) given = given.replaceAll(`${folder}/`, `${address}/`);
  return given;
}
