import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { expect, test } from 'vitest';

const src = join(import.meta.dirname, '..', 'src');
/** Words of systems, which may be used only in their folders. */
const WORDS: readonly (readonly [systems: readonly string[], words: RegExp])[] = [
  [['flux'], /\b(?:flux|monsters?|monsterCommands?)\b/i],
  [['flux', 'massless'], /\bplaces?\b/i],
  [['massless'], /\b(?:massless|colyseus|zones?|decodesOneOf)\b/i],
  [['mud'], /\bmud\b/i],
  [['quiz'], /\b(?:quiz(?:zes)?|matchTtl|matchesPerWorker|createsPerSecond)\b/i],
  [['realm'], /\b(?:realms?|thinkWork|commandsPerAgentPerSecond)\b/],
];
/** Lines that are allowed to use them, as `file: line`. */
const ALLOWED: readonly string[] = [
  "systems/registry.ts: import { flux } from './flux/system.ts';",
  "systems/registry.ts: import { massless } from './massless/system.ts';",
  "systems/registry.ts: import { mud } from './mud/system.ts';",
  "systems/registry.ts: import { quiz } from './quiz/system.ts';",
  "systems/registry.ts: import { realm } from './realm/system.ts';",
  'systems/registry.ts: export const SYSTEMS = systemsOf([flux, massless, mud, own, quiz, realm]);',
];
const MOST_ALLOWED = 40;

/** The lines of a file that hold more than a comment, without the comment. */
function codeOf(text: string): readonly string[] {
  let inComment = false;
  return text.split('\n').map((line) => {
    const trimmed = line.trim();
    if (inComment || trimmed.startsWith('/*')) {
      inComment = !trimmed.includes('*/');
      return '';
    }
    return trimmed.startsWith('//') ? '' : trimmed.replace(/\s\/\/\s.*$/, '');
  });
}

test('the general rooms use no word of a system', () => {
  const found = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(sep).join('/'))
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .flatMap((file) => {
      const foreign = WORDS.filter(
        ([systems]) => !systems.some((system) => file.startsWith(`systems/${system}/`)),
      );
      return codeOf(readFileSync(join(src, file), 'utf8'))
        .filter((line) => foreign.some(([, words]) => words.test(line)))
        .map((line) => `${file}: ${line}`);
    });
  expect(found).toEqual(ALLOWED);
  expect(ALLOWED.length).toBeLessThanOrEqual(MOST_ALLOWED);
});
