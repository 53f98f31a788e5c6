import { dealThroughEdge } from '../../load/fleet/deal.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import type { System } from '../system.ts';
import { quizFigures } from './figures.ts';
import { openQuizProbe } from './probe.ts';
import { quizScenario } from './scenario.ts';
import { quizComponents, quizNeeds, quizSettings } from './stack.ts';
import { openVerification } from './verify.ts';
import { quizWorkload } from './workload.ts';

/** The quiz world: matches of two players on servers with worker processes, in Redis while they go on, in PostgreSQL then. */
export const quiz: System = {
  name: 'quiz',
  scenario: quizScenario,
  figures: quizFigures,
  workerModule: () => bundleFile('quiz-worker'),
  components: quizComponents,
  needs: quizNeeds,
  settings: quizSettings,
  deal: dealThroughEdge,
  probes: ({ worlds }) => worlds.map((world, index) => openQuizProbe(world, index + 1)),
  openVerification,
  nullServers: (workload, servers, token) =>
    Array.from({ length: servers }, (_, i) => ({
      name: `null-world-${i + 1}`,
      module: bundleFile('quiz-null'),
      env: { TOKEN: token, QUESTIONS: String(quizWorkload(workload).questions) },
    })),
};
