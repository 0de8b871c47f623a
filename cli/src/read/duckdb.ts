/** What the command uses of DuckDB. The build makes a file of it, which is loaded when it is first needed. */
export { DOUBLE, DuckDBDataChunk, DuckDBInstance, VARCHAR } from '@duckdb/node-api';
