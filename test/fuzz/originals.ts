import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Tree, treeOf } from './tree.ts';

/** A file as it is before it is damaged. */
export interface Original {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** As data. */
  readonly value: unknown;
  /** A tree of its own for each caller. */
  tree(): Tree;
}

function original(name: string, bytes: Uint8Array, value: unknown): Original {
  return { name, bytes, value, tree: () => treeOf(value) };
}

/** Every scenario that comes with capbench. */
export function scenarios(root: string): readonly Original[] {
  const folder = join(root, 'scenarios');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return original(name, bytes, parse(bytes.toString()));
    });
}

/** What `capbench report` reads of the recorded sample. */
export function sample(root: string): { readonly measurements: Original; readonly scenario: Original } {
  const read = (name: string) => readFileSync(join(root, 'reports', 'sample', name));
  const [measurements, scenario] = [read('measurements.json'), read('scenario.yaml')];
  return {
    measurements: original('measurements.json', measurements, JSON.parse(measurements.toString())),
    scenario: original('scenario.yaml', scenario, parse(scenario.toString())),
  };
}
