import { expect, test } from 'vitest';
import { readPlayerFrame } from '../../../src/systems/quiz/wire.ts';
import { choiceOf, OPTIONS, rightOption } from '../../../src/systems/quiz/questions.ts';
import { Directory } from '../../../src/systems/quiz/server/directory.ts';
import { matchesAsked, quizScenario } from '../../../src/systems/quiz/scenario.ts';
import { SYSTEMS } from '../../../src/systems/registry.ts';
import { readScenario } from '../../../src/scenario/read-scenario.ts';

const text = (players: number, world: string): string =>
  `name: q\nsystem: quiz\nload: { players: ${players}, duration: 5s }\nworld: { ${world} }\n`;
