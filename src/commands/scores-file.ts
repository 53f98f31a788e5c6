import { resolve } from 'node:path';
import type { Host } from '../host.ts';
import { readBounded } from '../measurement/bundle.ts';
import { readScores, type Scores } from '../model/scores.ts';
import { nearby } from './shown-path.ts';

const LARGEST = 2 ** 20;

/** @throws CapbenchError (104) that names the file where it cannot be read or holds no scores */
export async function readScoresFile(host: Host, file: string): Promise<Scores> {
  const path = resolve(host.cwd, file);
  const shown = nearby(host, path);
  const bytes = await readBounded(path, LARGEST, '`capbench score --out FILE` writes it', shown);
  return readScores(bytes, shown);
}
