import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { coresIn } from '../../src/score/physical-cores.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** A folder like /sys/devices/system/cpu: the siblings of each CPU; null: it is off. */
function cpus(siblings: readonly (string | null)[]): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'cpufreq'));
  for (const [cpu, list] of siblings.entries()) {
    mkdirSync(join(folder, `cpu${cpu}`, 'topology'), { recursive: true });
    if (list !== null)
      writeFileSync(join(folder, `cpu${cpu}`, 'topology', 'thread_siblings_list'), `${list}\n`);
  }
  return folder;
}

test('CPUs with the same siblings are one core', () => {
  expect(coresIn(cpus(['0-1', '0-1']), [])).toBe(1);
  expect(coresIn(cpus(['0,2', '1,3', '0,2', '1,3']), [])).toBe(2);
  expect(coresIn(cpus(['0', '1', '2']), [])).toBe(3);
});

test('CPUs that are off, or that this process may not use, do not count', () => {
  expect(coresIn(cpus(['0', '1', null]), [])).toBe(2);
  expect(coresIn(cpus(['0-1', '0-1', '2-3', '2-3']), [0, 2])).toBe(2);
  expect(coresIn(cpus(['0-1', '0-1', '2-3', '2-3']), [2, 3])).toBe(1);
});

test('a system that does not say has no number of cores', () => {
  expect(coresIn(cpus([null]), [])).toBeNull();
  expect(coresIn('/nowhere', [])).toBeNull();
});
