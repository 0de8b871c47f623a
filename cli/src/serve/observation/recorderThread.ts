/** The program of a thread that writes the prediction log, or the audit log. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { AuditFile } from './auditFile.ts';
import { PredictionFiles, type PredictionItem } from './predictionFiles.ts';
import type { FromRecorder, RecorderOpened, RecorderStart, ToRecorder } from './recorder.ts';

const TICK_MS = 1000;
const port = parentPort!;

interface Keeper {
  take(items: readonly unknown[], lost: number): Omit<FromRecorder, 'number'>;
  tick(): void;
  close(): void | Promise<void>;
}

/** @throws the error of the system */
function keeperOf({ kind, options }: RecorderStart): { readonly keeper: Keeper; readonly torn: number } {
  if (kind === 'predictions') {
    mkdirSync(options.folder, { recursive: true });
    accessSync(options.folder, constants.W_OK);
    const files = new PredictionFiles(options);
    return {
      torn: 0,
      keeper: {
        take: (items) => files.take(items as PredictionItem[]),
        tick: () => files.tick(),
        close: () => files.close(),
      },
    };
  }
  const file = new AuditFile(options);
  return {
    torn: file.torn,
    keeper: {
      take: (items, lost) => ({ ...file.take(items as object[], lost), unmatched: 0 }),
      tick: () => file.tick(),
      close: () => file.close(),
    },
  };
}

function begin(): void {
  let opened: ReturnType<typeof keeperOf>;
  try {
    opened = keeperOf(workerData as RecorderStart);
  } catch (error) {
    port.postMessage({ failure: (error as Error).message, torn: 0 } satisfies RecorderOpened);
    port.close();
    return;
  }
  const { keeper, torn } = opened;
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
  port.postMessage({ failure: null, torn } satisfies RecorderOpened);
}

begin();
