import { z } from 'zod';
import { KIND } from '../../scenario/kinds.ts';
import { line, list, map, oneOf, prose, quantity, size, whole, word } from '../../scenario/leaf.ts';

const MOST_CHOICES = 1000;
const weight = () => quantity(0.001, 1e6, 'a weight').default(1).describe('Relative frequency');
const operation = () =>
  word(KIND, 'a kind of load.operations')
    .optional()
    .describe('The kind of operation that it is for; required where load.operations has several');
const path = () =>
  word(/^\/[^\s#\\]{0,1999}$/, 'a path that starts with / and has neither spaces nor #').describe(
    "Path after the target's address; {player} is the player's number",
  );
const answerKey = () =>
  word(/^[A-Za-z_$][\w$-]*(\.[A-Za-z_$][\w$-]*){0,5}$/, 'a key of the answer, such as id or reply.id');

const SUBPROTOCOL = 'the name of a sub-protocol, such as game.v1';
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;

/** What a client of WebSocket offers and accepts. */
const socket = {
  deflate: z
    .boolean({ error: 'true or false' })
    .optional()
    .describe('Offers permessage-deflate, as browsers do'),
  subprotocols: list(word(TOKEN, SUBPROTOCOL), 20, 'names of sub-protocols', 1)
    .optional()
    .describe('Sub-protocols to offer, the preferred one first'),
  largestFrame: size('1kB', '1GB')
    .optional()
    .describe('A longer message of the server ends the connection; 16MB unless set'),
};

const group = () =>
  whole(1, 1000)
    .optional()
    .describe('So many neighbours are in one load process and at one server; 1 unless set');

const LONGEST_BODY = 100_000;
const FREE = 'a map or a list of JSON values, of at most 100,000 characters as JSON';
const TEXT_OR_FREE = `text, or ${FREE}`;
const isJsonValue = (value: unknown): boolean =>
  typeof value === 'number'
    ? Number.isFinite(value)
    : typeof value !== 'object' || value === null || Object.values(value).every(isJsonValue);

/** A map or a list, which is sent as JSON. */
const free = () =>
  z
    .unknown()
    .refine(
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        isJsonValue(value) &&
        JSON.stringify(value).length <= LONGEST_BODY,
      { error: FREE },
    );
const text = () =>
  z
    .union([prose(LONGEST_BODY), free()], { error: TEXT_OR_FREE })
    .optional()
    .describe('Text, or what is sent as JSON');

/** What players without code are given. */
const inputs = {
  data: line(1000)
    .regex(/\.csv$/, { error: 'the path of a CSV file, such as ./users.csv' })
    .optional()
    .describe('A CSV file beside the scenario, with a row for each player; its first line names the columns'),
  environment: list(
    word(/^[A-Za-z_]\w{0,99}$/, 'the name of an environment variable'),
    100,
    'names of variables',
    1,
  )
    .optional()
    .describe('Environment variables that texts may name as {env.NAME}'),
};

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** A request by which a player logs in. */
const loginRequest = {
  method: oneOf(METHODS).optional().describe('POST unless set'),
  body: text(),
  form: z
    .record(line(200), prose(10_000), { error: 'a map of fields and texts' })
    .optional()
    .describe('Instead of a body: the fields of a form'),
  tokenAt: answerKey()
    .optional()
    .describe('Path of a token in the answer: {token}, and sent as Authorization: Bearer'),
};

/** JSON over WebSocket, and an answer with the same id. */
const json = map({
  protocol: z.literal('json'),
  group: group(),
  ...inputs,
  login: map({
    path: path().optional(),
    ...loginRequest,
    frame: free()
      .optional()
      .describe('The first frame of a connection; the next frame of the server answers it'),
    okAt: answerKey().optional().describe('Only a frame with a value here answers it'),
  })
    .optional()
    .describe('What a player does before it is connected: a request, a first frame, or both'),
  path: path().default('/'),
  commands: list(
    map({
      type: line(200).default('command').describe('`type` of the frame'),
      command: line(10_000).optional().describe("`command` of the frame; {player} is the player's number"),
      body: free()
        .optional()
        .describe('Instead of a command: the whole frame, with "{id}" where the id belongs'),
      operation: operation(),
      weight: weight(),
    }),
    MOST_CHOICES,
    'commands',
    1,
  ),
  idAt: answerKey().default('id').describe('Path of the id in an answer'),
  errorAt: answerKey().default('error').describe('An answer with a value at this path is a rejection'),
  ...socket,
});

/** HTTP: 2xx is ok, 4xx rejected, anything else failed. */
const http = map({
  protocol: z.literal('http'),
  group: group(),
  ...inputs,
  login: map({ path: path(), ...loginRequest })
    .optional()
    .describe('The first request of a player; its cookies and its token are sent with all others'),
  requests: list(
    map({
      method: oneOf(METHODS).default('GET'),
      path: path(),
      body: text(),
      operation: operation(),
      weight: weight(),
    }),
    MOST_CHOICES,
    'requests',
    1,
  ),
});

const A_MODULE = 'the path of a JavaScript module, such as ./my-player.mjs';
const module = map({
  protocol: z.literal('module').default('module'),
  group: group(),
  module: line(1000).regex(/\.(mjs|cjs|js)$/, { error: A_MODULE }),
  ...socket,
});

const KINDS = 'json, http, or a module: { module: ./my-player.mjs }';

/** A map with a module has the protocol `module`, unless it has another one. */
const named = (value: unknown): unknown =>
  typeof value === 'object' &&
  value !== null &&
  Object.hasOwn(value, 'module') &&
  !Object.hasOwn(value, 'protocol')
    ? { protocol: 'module', ...value }
    : value;

/** `players:` of a scenario. */
export const playersSchema = z.preprocess(
  named,
  z.discriminatedUnion('protocol', [json, http, module], {
    error: ({ code }) => (code === 'invalid_union' ? KINDS : `a map with a protocol: ${KINDS}`),
  }),
);

/** The players of a scenario. */
export type Players = z.infer<typeof playersSchema>;
export type JsonPlayers = z.infer<typeof json>;
/** What players over WebSocket offer to their server. */
export type SocketPlayers = Pick<JsonPlayers, keyof typeof socket>;
/** A request by which a player logs in. */
export type LoginRequest = NonNullable<HttpPlayers['login']>;
export type HttpPlayers = z.infer<typeof http>;
