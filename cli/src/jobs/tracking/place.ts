import { existsSync, statSync } from 'node:fs';
import { LogoddsError } from '../../../../src/index.ts';
import { withoutSecrets } from '../../terminal/secrets.ts';
import { RunFolder } from './folder.ts';
import type { Shelf, Sink } from './record.ts';
import { MlflowRuns } from './server.ts';

/** The folder of runs where nothing names another place. */
export const USUAL = 'runs';

/**
 * Where runs are kept.
 * @param named  the value of --track or of an argument; undefined: what the environment says (LOGODDS_TRACKING, MLFLOW_TRACKING_URI), else ./runs
 * @throws ERR_RANGE for what is neither a folder nor an address; ERR_STORE
 */
export function placeOf(named: string | undefined, environment: NodeJS.ProcessEnv = process.env): Sink & Shelf {
  const { LOGODDS_TRACKING, MLFLOW_TRACKING_URI } = environment;
  const [text, from] =
    named !== undefined
      ? [named, 'tracking']
      : LOGODDS_TRACKING
        ? [LOGODDS_TRACKING, 'LOGODDS_TRACKING']
        : MLFLOW_TRACKING_URI
          ? [MLFLOW_TRACKING_URI, 'MLFLOW_TRACKING_URI']
          : [USUAL, 'tracking'];
  if (/^(mlflow\+)?https?:\/\//i.test(text)) return new MlflowRuns(text);
  const refuse = (got: string, next: string): never => {
    const shown = withoutSecrets(text);
    throw new LogoddsError(
      'ERR_RANGE',
      `${from}: expected a folder, or http(s)://… of MLflow, got ${got} (${shown}); ${next}`,
    );
  };
  if (text === '') refuse('nothing', 'name one');
  if (/^[a-z][a-z0-9+.-]*:/i.test(text) && !existsSync(text)) refuse('another address', 'correct it');
  if (existsSync(text) && !statSync(text).isDirectory())
    refuse('a file', 'write --track behind DATA, or --track=FOLDER');
  return new RunFolder(text);
}
