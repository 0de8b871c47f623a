/** The program of a thread that writes the prediction log, or the audit log. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { AuditFile } from './auditFile.ts';
import { FileLock } from './fileLock.ts';
import { PredictionFiles, type PredictionItem } from './predictionFiles.ts';
import type { FromRecorder, RecorderOpened, RecorderStart, ToRecorder } from './recorder.ts';

const TICK_MS = 1000;
const port = parentPort!;

interface Keeper {
  take(items: readonly unknown[], lost: number): Omit<FromRecorder, 'number'>;
  tick(): void;
  close(): void | Promise<void>;
}

type Opened = Omit<RecorderOpened, 'failure'> & { readonly keeper: Keeper };

/** @throws the error of the system, or of a file that somebody else writes */
async function open({ kind, options }: RecorderStart): Promise<Opened> {
  if (kind === 'predictions') {
    mkdirSync(options.folder, { recursive: true });
    accessSync(options.folder, constants.W_OK);
    const files = new PredictionFiles(options);
    return {
      torn: 0,
      left: null,
      keeper: {
        take: (items) => files.take(items as PredictionItem[]),
        tick: () => files.tick(),
        close: () => files.close(),
      },
    };
  }
  // files of its own are written by names that no other process has; a chain has one writer
  const lock = await FileLock.take(options.path);
  let file: AuditFile;
  try {
    file = new AuditFile(options);
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    torn: file.torn,
    left: lock.left,
    keeper: {
      take: (items, lost) => ({ ...file.take(items as object[], lost), unmatched: 0 }),
      tick() {
        file.tick();
        lock.touch();
      },
      close() {
        file.close();
        lock.release();
      },
    },
  };
}

async function begin(): Promise<void> {
  let opened: Opened;
  try {
    opened = await open(workerData as RecorderStart);
  } catch (error) {
    const { name, message } = error as Error;
    port.postMessage({ failure: { name, message }, torn: 0, left: null } satisfies RecorderOpened);
    port.close();
    return;
  }
  const { keeper, torn, left } = opened;
  const timer = setInterval(() => {
    try {
      keeper.tick();
    } catch {
      // the next write says why
    }
  }, TICK_MS);
  port.on('message', async (message: ToRecorder | 'end') => {
    if (message !== 'end') {
      port.postMessage({ number: message.number, ...keeper.take(message.items, message.lost) });
      return;
    }
    clearInterval(timer);
    try {
      await keeper.close();
    } finally {
      port.close();
    }
  });
  port.postMessage({ failure: null, torn, left } satisfies RecorderOpened);
}

void begin();
