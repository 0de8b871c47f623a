#!/usr/bin/env node
import { existsSync } from 'node:fs';

const built = new URL('../dist/main.js', import.meta.url);
if (existsSync(built)) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv);
} else {
  process.stderr.write('logodds is not built yet: run "npm install" and "npm run build" in the checkout first.\n');
  process.exitCode = 1;
}
