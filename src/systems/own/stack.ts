import type { Scenario } from '../../scenario/scenario.ts';
import type { Outline } from '../../scenario/system-scenario.ts';
import type { CommandPlan } from '../../stack/command-component.ts';
import { commandText } from './command-words.ts';
import { limitMs, type OwnStack, targetsOf } from './stack-schema.ts';

/** The server that a scenario of this system starts; undefined where it is only a target. */
export const stackOf = ({ sections }: Pick<Scenario, 'sections'>): OwnStack | undefined =>
  sections?.stack as OwnStack | undefined;

/** Its name in faults, logs and messages. */
export const SERVER = 'server';

/** How it is started; null where the scenario has no command. */
export function commandOf(scenario: Pick<Scenario, 'sections'>): CommandPlan | null {
  const stack = stackOf(scenario);
  if (stack === undefined) return null;
  const { start, ready, within, reset = null, stop = null, environment } = stack;
  return {
    ...{ name: SERVER, text: commandText(start), targets: targetsOf(stack), limit: limitMs(within) },
    ...{ start, ready, reset, stop, environment },
  };
}

/** What `capbench check` shows of it. */
export function stackOutline(scenario: Pick<Scenario, 'sections'>): Pick<Outline, 'stack'> {
  const stack = stackOf(scenario);
  if (stack === undefined) return {};
  const { start, environment } = stack;
  return {
    stack: [
      ['start', `${commandText(start)}: run only with --allow-start`],
      ['ready', readyText(stack)],
      ['targets', targetsOf(stack).join(', ')],
      ...(['reset', 'stop'] as const).flatMap((key) => {
        const { [key]: command } = stack;
        return command === undefined ? [] : [[key, commandText(command)] as const];
      }),
      ...(Object.keys(environment).length === 0
        ? []
        : [['environment', Object.keys(environment).join(', ')] as const]),
    ],
  };
}

/** `http://127.0.0.1:8080/health answers, within 60s` */
function readyText({ ready, within }: OwnStack): string {
  const what =
    typeof ready === 'object'
      ? `a line of its output holds "${ready.line}"`
      : `${typeof ready === 'number' ? `port ${ready}` : ready} answers`;
  return `${what}, within ${within}`;
}
