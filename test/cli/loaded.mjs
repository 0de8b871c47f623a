// node --import .../loaded.mjs: writes the address of every module that is loaded into the file LOGODDS_LOADED.
import { appendFileSync } from 'node:fs';
import * as modules from 'node:module';
import { isMainThread } from 'node:worker_threads';

/** A hook of Node, which calls it in this thread, or in one of its own (before Node 22.15). */
export function load(url, context, next) {
  appendFileSync(process.env.LOGODDS_LOADED, `${url}\n`);
  return next(url, context);
}

if (modules.registerHooks) modules.registerHooks({ load });
else if (isMainThread) modules.register(import.meta.url);
