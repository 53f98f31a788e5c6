import { type FoundRequest, kindsOf, type Proposal } from './proposal.ts';
import { moduleText } from './socket-module.ts';

/** The files that a proposal leads to. */
export interface ProposedFiles {
  readonly scenario: string;
  /** Null where players need no code. */
  readonly module: string | null;
}

const MODULE = './my-player.mjs';
const LOOPBACK = /^\w+:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;
/** Requests of one kind beyond these are left out. */
const MOST_REQUESTS = 200;

/** The text of a scenario, with what it lacks as comments, and of a player module where players need one. */
export function proposedFiles(proposal: Proposal): ProposedFiles {
  const { description, players, whyPlayers, connectsPerSecond, shape, talk, target } = proposal;
  const leftOut = allLeftOut(proposal);
  const requests =
    talk.protocol === 'http'
      ? kindsOf(talk.requests, ({ method, path }) => [method, path.split('?')[0] ?? ''])
      : [];
  const messages =
    talk.protocol === 'http' ? [] : kindsOf(talk.messages, ({ event, data }) => [event ?? wordOf(data)]);
  const kinds = [...requests, ...messages];
  const isModule = talk.protocol !== 'http';
  const needsModule = isModule ? ' --allow-module' : '';
  // A command that loads another machine is not for copying.
  const address =
    target !== null && LOOPBACK.test(target) ? target : `${isModule ? 'ws' : 'http'}://127.0.0.1:8080`;
  const lines = [
    `# ${description}`,
    '# What it promises, and whether these rates are the right ones, is for you to say. Then, on your own server:',
    `#   npx capbench check ./my-world.yaml --target ${address}`,
    `#   npx capbench run ./my-world.yaml${needsModule} --target ${address}`,
    ...(leftOut.length === 0
      ? []
      : ['#', '# Not carried over:', ...leftOut.map((one) => `#   ${commentText(leftOutText(one))}`)]),
    'version: 1',
    'name: my-world',
    `description: ${quoted(description.slice(0, 500))}`,
    'system: own',
    '',
    ...(isModule ? [`players: { module: ${MODULE} }`] : httpLines(requests)),
    '',
    'load:',
    `  players: ${players}${comment(whyPlayers)}`,
    ...(connectsPerSecond === null ? [] : [`  connectsPerSecond: ${connectsPerSecond}`]),
    '  operations:                        # a second, of all players together',
    ...kinds.map(
      ({ id, perSecond, line }) => `    ${id}: { perSecond: ${rate(perSecond)} }${comment(`line ${line}`)}`,
    ),
    `  ramp: ${duration(shape.ramp)}`,
    `  warmUp: ${duration(shape.warmUp)}`,
    ...(shape.duration === null ? [] : [`  duration: ${duration(Math.max(1, shape.duration))}`]),
    ...(shape.stages.length === 0 ? [] : ['  stages:']),
    ...shape.stages.map(({ name, lasting, rate: times, over, players: there }) => {
      const parts = [
        `name: ${name}`,
        `lasting: ${duration(Math.max(0.1, lasting))}`,
        ...(there === null ? [] : [`players: ${there}`]),
        ...(times === null || times === 1 ? [] : [`rate: ${rate(times)}`]),
        ...(over === 0 ? [] : [`over: ${duration(over)}`]),
      ];
      return `    - { ${parts.join(', ')} }`;
    }),
    ...rejectionLines(requests),
    '',
    'budgets:',
    `  - { id: all-connected, metric: load.peakCcu, op: '>=', limit: ${mostOf(proposal)}, unit: players }`,
    ...budgetLines(
      proposal,
      kinds.map(({ id }) => id),
    ),
    '',
  ];
  return {
    scenario: lines.join('\n'),
    module: talk.protocol === 'http' ? null : moduleText(talk, messages),
  };
}

const mostOf = ({ players, shape: { stages } }: Proposal): number =>
  stages.length === 0 ? players : Math.max(...stages.map(({ players: there }) => there ?? players));

/** What a message says that it is: the value of its `type`, `action` or `command`, else its beginning. */
function wordOf(data: string): string {
  const plain = data.replaceAll('\\', '');
  const [, named] = /"(?:type|event|action|command|cmd|kind|op|t)":"([^"]{1,40})"/.exec(plain) ?? [];
  return named ?? plain.replace(/^JSON\.parse/, '').slice(0, 40);
}

/** What is not carried over, with a target that is not this machine. */
export const allLeftOut = ({ leftOut, target }: Proposal): Proposal['leftOut'] =>
  target === null || LOOPBACK.test(target)
    ? leftOut
    : [
        ...leftOut,
        {
          line: null,
          what: `the target ${target}: only who owns it may load it, and says so with --target and --i-own`,
        },
      ];

/** `line 12: ...` */
export const leftOutText = ({ line, what }: Proposal['leftOut'][number]): string =>
  `${line === null ? '' : `line ${line}: `}${what}`;

function httpLines(
  kinds: readonly { readonly id: string; readonly of: readonly FoundRequest[] }[],
): readonly string[] {
  return [
    'players:',
    '  protocol: http',
    '  requests:',
    ...kinds.flatMap(({ id, of }) => {
      const several = of.length > 1;
      return of.slice(0, MOST_REQUESTS).map(({ method, path, body, perSecond, line }) => {
        const parts = [
          `operation: ${id}`,
          `method: ${method}`,
          `path: ${quoted(path)}`,
          ...(body === null ? [] : [`body: ${quoted(body)}`]),
          ...(several ? [`weight: ${rate(Math.max(0.001, perSecond))}`] : []),
        ];
        return `    - { ${parts.join(', ')} }${comment(`line ${line}`)}`;
      });
    }),
  ];
}

/** The rule for the kinds of which more than a percent were answered with no; the others have its default. */
function rejectionLines(
  kinds: readonly { readonly id: string; readonly of: readonly FoundRequest[] }[],
): readonly string[] {
  const shares = kinds.flatMap(({ id, of }) => {
    const all = of.reduce((sum, { perSecond }) => sum + perSecond, 0);
    const share =
      of.reduce((sum, { perSecond, rejectedPercent = 0 }) => sum + perSecond * rejectedPercent, 0) / all;
    return share > 1
      ? [`    ${id}: ${Math.min(100, Math.ceil(1.2 * share))}${comment(`${rate(share)}% were 4xx`)}`]
      : [];
  });
  return shares.length === 0 ? [] : ['', 'rules:', '  rejectedPercent:', ...shares];
}

/** The budgets that were found, one for each operation where they are about operations. */
function budgetLines({ budgets }: Proposal, ids: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return budgets.flatMap(({ id, metric, stat, op, limit, unit, line }) => {
    const ofEach = metric.includes('{op}') ? ids : [null];
    return ofEach.map((kind) => {
      const wanted = kind === null || ids.length === 1 ? id : `${id}-${kind}`;
      let name = wanted;
      for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
      taken.add(name);
      const path = kind === null ? metric : metric.replace('{op}', kind);
      const parts = [
        `id: ${name}`,
        `metric: ${path}`,
        ...(stat === null ? [] : [`stat: ${stat}`]),
        `op: ${quoted(op)}`,
        `limit: ${limit}`,
        `unit: ${quoted(unit)}`,
      ];
      return `  - { ${parts.join(', ')} }${comment(`line ${line}`)}`;
    });
  });
}

/** A YAML scalar in double quotes, which JSON's are. */
const quoted = (text: string): string =>
  JSON.stringify(text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (one) => (one === '\n' || one === '\t' ? one : ' ')));

const commentText = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, 200);
const comment = (text: string): string => `  # ${commentText(text)}`;

/** Three significant digits. */
const rate = (value: number): string => String(Number(value.toPrecision(4)));

const duration = (seconds: number): string =>
  Number.isInteger(seconds) ? `${seconds}s` : `${Math.max(1, Math.round(seconds * 1000))}ms`;
