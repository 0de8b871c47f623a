/** What the command uses of DuckDB. The build makes a file of it, which is loaded when it is first needed. */
export {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBInstance,
  ENUM,
  FLOAT,
  UINTEGER,
  VARCHAR,
} from '@duckdb/node-api';
