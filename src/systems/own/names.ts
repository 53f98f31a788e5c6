import { GIVEN } from '../../load/player-data.ts';
import { type Finding, findingAt } from '../../scenario/finding.ts';
import type { Path } from '../../scenario/problem.ts';
import type { Scenario, SystemTraits } from '../../scenario/scenario.ts';
import type { JsonPlayers, Players } from './players-schema.ts';
import { namesIn } from './template.ts';

/** A name in braces, and where it stands. */
interface Named {
  readonly name: string;
  readonly path: Path;
}

const ENVIRONMENT = 'env.';

/** The names in a text, or in all texts of a map or list. */
function* namedIn(value: unknown, path: Path): Generator<Named> {
  if (typeof value === 'string') for (const name of namesIn(value)) yield { name, path };
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const at = [...path, Array.isArray(value) ? Number(key) : key];
    for (const name of namesIn(key)) yield { name, path: at };
    yield* namedIn(inner, at);
  }
}

/** All names in what players without code send. */
function namedBy(players: Players): readonly Named[] {
  if (players.protocol === 'module') return [];
  const { login } = players;
  const sent =
    players.protocol === 'json'
      ? { login, path: players.path, commands: players.commands }
      : { login, requests: players.requests };
  return [...namedIn(sent, ['players'])];
}

/** What a run has to read for the players: columns of a file, and variables. */
export function inputTraits(players: Players | undefined): Partial<SystemTraits> {
  if (players === undefined || players.protocol === 'module') return {};
  const { data, environment = [] } = players;
  const columns = namedBy(players).filter(
    ({ name }) => !GIVEN.includes(name) && !name.startsWith(ENVIRONMENT),
  );
  return {
    ...(data === undefined ? {} : { playerData: { file: data, columns } }),
    ...(environment.length === 0 ? {} : { playerEnvironment: environment }),
  };
}

/** Names that stand for nothing, bodies without an id, and keys of a login that need another one. */
export function nameFindings({ sections }: Pick<Scenario, 'sections'>): readonly Finding[] {
  const players = sections?.players as Players | undefined;
  if (players === undefined || players.protocol === 'module') return [];
  const { login, data, environment = [] } = players;
  const findings: Finding[] = [];
  const report = (path: Path, message: string, hint: string | null = null): void =>
    void findings.push(findingAt(path, message, hint));
  for (const { name, path } of namedBy(players)) {
    const isOfOperation = path[1] === 'commands' || path[1] === 'requests';
    if (name === 'id' && !isOfOperation) {
      report(path, 'got {id} where there is no operation, expected it in commands and requests only');
    } else if (name === 'token' && login?.tokenAt === undefined) {
      report(
        path,
        'got {token}, and no login gives one',
        'say where the answer to the login has it: login.tokenAt',
      );
    } else if (name.startsWith(ENVIRONMENT) && !environment.includes(name.slice(ENVIRONMENT.length))) {
      const variable = name.slice(ENVIRONMENT.length);
      report(path, `got {${name}}, which players.environment does not list`, `environment: [${variable}]`);
    } else if (!GIVEN.includes(name) && !name.startsWith(ENVIRONMENT) && data === undefined) {
      report(
        path,
        `unknown name {${name}}, expected {player}, {id}, {token}, {env.NAME}, or a column of players.data`,
        `data: users.csv names a file whose first line names its columns; {{${name}}} stands for {${name}} itself`,
      );
    }
  }
  if (login?.body !== undefined && login.form !== undefined) {
    report(['players', 'login', 'form'], 'got a form and a body, expected one of them');
  }
  return players.protocol === 'json' ? [...findings, ...jsonFindings(players)] : findings;
}

function jsonFindings({ login, commands }: JsonPlayers): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [i, { command, body }] of commands.entries()) {
    const path: Path = ['players', 'commands', i];
    if ((command === undefined) === (body === undefined)) {
      const got = command === undefined ? 'neither command nor body' : 'a command and a body';
      findings.push(findingAt(path, `got ${got}, expected one of them`));
    } else if (body !== undefined && idPathOf(body) === null) {
      findings.push(
        findingAt(
          [...path, 'body'],
          'got no value "{id}", expected one, which the answer repeats',
          'body: { id: "{id}", type: move }',
        ),
      );
    }
  }
  if (login === undefined) return findings;
  if (login.path === undefined && login.frame === undefined) {
    findings.push(
      findingAt(
        ['players', 'login'],
        'got neither path nor frame, expected a request, a first frame, or both',
      ),
    );
  }
  const ofRequest = (['method', 'body', 'form', 'tokenAt'] as const).find((key) => login[key] !== undefined);
  if (login.path === undefined && ofRequest !== undefined) {
    findings.push(
      findingAt(['players', 'login', ofRequest], `${ofRequest} is of a request, expected a path, too`),
    );
  }
  if (login.frame === undefined && login.okAt !== undefined) {
    findings.push(
      findingAt(['players', 'login', 'okAt'], 'okAt is of the answer to a frame, expected a frame, too'),
    );
  }
  return findings;
}

/** The keys that lead to the id in the frame of a command; null where there is none. */
export function idPathOf(body: unknown): readonly string[] | null {
  if (body === '{id}') return [];
  if (typeof body !== 'object' || body === null) return null;
  for (const [key, inner] of Object.entries(body)) {
    const below = idPathOf(inner);
    if (below !== null) return [key, ...below];
  }
  return null;
}
