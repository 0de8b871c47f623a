/** DuckDB when it is needed, and names and texts in its SQL. It imports nothing, so that a thread of its own loads little. */

/** Loads DuckDB when it is first needed, so that help and `inspect` start without it. */
export const loadDuckDB = () => import('./duckdb.ts');

/** Allows no code from outside the package: no extension is installed or loaded, and secrets of the user are not read. */
export const SEALED: Readonly<Record<string, string>> = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
  allow_persistent_secrets: 'false',
};

/** A name as SQL quotes it. */
export const name = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** A text as SQL quotes it. */
export const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
