/** A file of a store, as it is listed. */
export interface Stored {
  readonly path: string;
  readonly bytes: number;
  /** when it was last written, in milliseconds since 1970 by the clock of the store */
  readonly at: number;
}

/** The log of a store at one moment. */
export interface LogText {
  readonly text: string;
  /** what `append` and `log` compare: another mark, another text */
  readonly mark: string;
}

/**
 * Where the files of a registry lie. Paths are relative, with slashes. A file is there whole or not at all.
 *
 * Every method throws ERR_STORE where the place cannot be read or written.
 */
export interface Store {
  /** what messages call it */
  readonly place: string;
  /** The log, or null where its mark is still `since`. A store without a log has an empty one. */
  log(since?: string): Promise<LogText | null>;
  /**
   * Adds text to the end of the log. Resolves to false where the store can tell that somebody was first since `mark`; where it cannot, the chain of the
   * events does (see `readLog`). What it resolved true for survives a loss of power.
   */
  append(text: string, mark: string): Promise<boolean>;
  /** null: it is not there */
  read(path: string): Promise<Uint8Array | null>;
  /** Writes a file; another of that path is replaced. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Gives a file another path. Resolves to false where it is not there. */
  move(from: string, to: string): Promise<boolean>;
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>;
  /** Files whose paths begin with the folder. */
  list(folder: string): Promise<Stored[]>;
}
