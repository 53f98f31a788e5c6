import { join } from 'node:path';
import { test } from 'vitest';
import { runCli } from '../../src/cli.ts';
import { systemsOf } from '../../src/systems/registry.ts';
import { bundled } from '../bundled.ts';
import { memoryHost } from '../memory-host.ts';
import { toy } from './toy.ts';
test('once', { timeout: 160000 }, async () => {
  const programs = await bundled({ 'toy-server': 'test/toy/server.ts', 'toy-side': 'test/toy/side.ts' });
  const files = { server: programs.file('toy-server'), side: programs.file('toy-side') };
  for (const args of JSON.parse(process.env.TOY_ARGS!) as string[][]) {
    const host = memoryHost(args.map((a) => a.replace('TOY', join(import.meta.dirname, 'toy.yaml'))), { env: { PATH: process.env.PATH }, systems: async () => systemsOf([toy(files)]) });
    const code = await runCli(host);
    console.log(args.join(' '), code, host.out(), host.err());
  }
  programs.remove();
});
