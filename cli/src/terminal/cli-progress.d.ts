/** Types for the part of cli-progress that progress.ts uses. */
declare module 'cli-progress' {
  export interface BarOptions {
    format: string;
    stream?: NodeJS.WritableStream;
    fps?: number;
    linewrap?: boolean;
    clearOnComplete?: boolean;
    stopOnComplete?: boolean;
    synchronousUpdate?: boolean;
    barCompleteChar?: string;
    barIncompleteChar?: string;
    barsize?: number;
    emptyOnZero?: boolean;
  }
  export class SingleBar {
    constructor(options: BarOptions);
    start(total: number, startValue: number, payload?: object): void;
    update(current: number, payload?: object): void;
    stop(): void;
  }
  const progress: { SingleBar: typeof SingleBar };
  export default progress;
}
