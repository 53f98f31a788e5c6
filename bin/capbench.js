#!/usr/bin/env node
import { existsSync } from 'node:fs';
import process from 'node:process';

if (existsSync(new URL('../dist/cli.js', import.meta.url))) {
  const { main } = await import('../dist/cli.js');
  await main();
} else {
  process.stderr.write(
    'error: this clone is not built: there is no dist/cli.js\nhint: npm ci, or npm run build\n',
  );
  process.exitCode = 1;
}
