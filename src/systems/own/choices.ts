import { WeightedChoice } from '../../load/player/weighted-choice.ts';
import { type Finding, findingAt } from '../../scenario/finding.ts';
import type { OperationSpec } from '../../scenario/operations.ts';
import type { Scenario } from '../../scenario/scenario.ts';
import type { Workload } from '../../scenario/workload.ts';
import type { Players } from './players-schema.ts';

/** What players without code may send for an operation: a command or a request. */
interface Choice {
  readonly weight: number;
  /** The kind of operation that it is for; absent: the only one. */
  readonly operation?: string | undefined;
}

/** The choices of players without code, and their key; null for a module. */
function choicesOf(players: Players): { readonly key: string; readonly all: readonly Choice[] } | null {
  switch (players.protocol) {
    case 'json':
      return { key: 'commands', all: players.commands };
    case 'http':
      return { key: 'requests', all: players.requests };
    case 'module':
      return null;
  }
}

/** Draws what a player sends for an operation, by weight within its kind. HOT. */
export class Choices {
  /** By the operation's index in the workload: its choices; null where it has none. */
  private readonly kinds: readonly ({ readonly of: Int32Array; readonly draws: WeightedChoice } | null)[];

  constructor(all: readonly Choice[], operations: Workload['operations'], seed: number, ids: Int32Array) {
    const several = operations.filter(({ actor }) => actor === 'player').length > 1;
    this.kinds = operations.map(({ id }, kind) => {
      const own = [...all.keys()].filter((i) => !several || all[i]!.operation === id);
      if (own.length === 0) return null;
      const draws = new WeightedChoice(
        own.map((i) => all[i]!),
        seed,
        ids,
        kind,
      );
      return { of: Int32Array.from(own), draws };
    });
  }

  /** The index of what the player sends. The scenario was refused if the operation has no choice. */
  draw(player: number, operation: number): number {
    const kind = this.kinds[operation]!;
    return kind.of[kind.draws.draw(player)]!;
  }
}

/** Kinds without a command or request, and commands or requests of no kind. */
export function choiceFindings(
  { sections, load }: Pick<Scenario, 'load' | 'sections'>,
  operations: readonly OperationSpec[],
): readonly Finding[] {
  const players = sections?.players as Players | undefined;
  const choices = players === undefined ? null : choicesOf(players);
  if (choices === null) return [];
  const { key, all } = choices;
  const kinds = operations.map(({ id }) => id);
  const listed = kinds.join(', ');
  const findings: Finding[] = [];
  for (const [i, { operation }] of all.entries()) {
    const path = ['players', key, i];
    if (operation === undefined) {
      if (kinds.length > 1)
        findings.push(
          findingAt(
            path,
            `got no operation, expected the kind that it is for: one of ${listed}`,
            'add operation:',
          ),
        );
    } else if (!kinds.includes(operation)) {
      findings.push(
        findingAt([...path, 'operation'], `got ${operation}, expected a kind of load.operations: ${listed}`),
      );
    }
  }
  for (const { id, due } of operations) {
    const path = ['load', 'operations', id];
    if (due === 'answer') {
      findings.push(
        findingAt(
          [...path, 'due'],
          `got due: answer, expected perSecond or weight: players of the protocol ${players?.protocol} only keep a schedule`,
          'what follows from an answer needs a player module, which calls context.start',
        ),
      );
    } else if (
      kinds.length > 1 &&
      (load.operations[id]?.perSecond ?? 0) > 0 &&
      !all.some(({ operation }) => operation === id)
    ) {
      findings.push(
        findingAt(path, `nothing in players.${key} has operation: ${id}, expected at least one that does`),
      );
    }
  }
  return findings;
}
