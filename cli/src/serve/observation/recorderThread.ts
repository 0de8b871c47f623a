/** The program of a thread that writes the prediction log, or the audit log. */
import { parentPort, workerData } from 'node:worker_threads';
import { AuditFile } from './auditFile.ts';
import { FileLock } from './fileLock.ts';
import type { PredictionItem } from './predictionFiles.ts';
import { Predictions } from './predictions.ts';
import type {
  AskRecorder,
  FromRecorder,
  RecorderOpened,
  RecorderStart,
  SaidByRecorder,
  ToldByRecorder,
  ToRecorder,
} from './recorder.ts';

const TICK_MS = 1000;
const port = parentPort!;

interface Keeper {
  take(items: readonly unknown[], lost: number): Omit<FromRecorder, 'number'> | Promise<Omit<FromRecorder, 'number'>>;
  ask?(question: unknown): unknown;
  /** What is to be said since it was asked last. */
  tell?(): Omit<SaidByRecorder, 'kind'>;
  tick(): void;
  close(): void | Promise<void>;
}

type Opened = Omit<RecorderOpened, 'failure'> & { readonly keeper: Keeper };

/** @throws the error of the system, or of a file that somebody else writes */
async function open(start: RecorderStart): Promise<Opened> {
  if (start.kind === 'predictions') {
    const predictions = await Predictions.open(start);
    return {
      torn: 0,
      left: null,
      keeper: {
        tell: () => predictions.tell(),
        take: (items) => predictions.take(items as PredictionItem[]),
        ask: (question) => predictions.ask(question),
        tick: () => predictions.tick(),
        close: () => predictions.close(),
      },
    };
  }
  const { options } = start;
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
  const { keeper, ...found } = opened;
  const tell = (): void => {
    const told = keeper.tell?.();
    if (told && told.said.length > 0) port.postMessage({ kind: 'said', ...told } satisfies SaidByRecorder);
  };
  const timer = setInterval(() => {
    try {
      keeper.tick();
    } catch {
      // the next write says why
    }
    tell();
  }, TICK_MS);
  const answer = async (message: ToRecorder | AskRecorder | 'end'): Promise<void> => {
    if (message === 'end') {
      clearInterval(timer);
      try {
        await keeper.close();
      } finally {
        tell();
        port.close();
      }
    } else if ('ask' in message)
      port.postMessage({ number: message.number, told: answered(keeper, message.ask) } satisfies ToldByRecorder);
    else {
      port.postMessage({ number: message.number, ...(await keeper.take(message.items, message.lost)) });
      tell();
    }
  };
  // one after the other
  let last = Promise.resolve();
  port.on('message', (message: ToRecorder | AskRecorder | 'end') => {
    last = last.then(() => answer(message));
  });
  port.postMessage({ failure: null, ...found } satisfies RecorderOpened);
  tell();
}

function answered(keeper: Keeper, question: unknown): unknown {
  try {
    return keeper.ask?.(question) ?? null;
  } catch {
    return null;
  }
}

void begin();
