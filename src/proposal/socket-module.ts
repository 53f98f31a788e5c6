import type { FoundMessage, Talk } from './proposal.ts';

type Kinds = readonly { readonly id: string; readonly of: readonly FoundMessage[] }[];

/** A player module that sends these messages over a WebSocket or Socket.IO. */
export function moduleText(talk: Exclude<Talk, { readonly protocol: 'http' }>, kinds: Kinds): string {
  const messages = kinds.flatMap(({ id, of }) => {
    const entries = of.map(({ event, data, acknowledged, line }) =>
      talk.protocol === 'websocket'
        ? `    (context) => (${data}), // line ${line}`
        : `    { event: ${JSON.stringify(event ?? 'message')}, data: (context) => (${data}), acknowledged: ${acknowledged} }, // line ${line}`,
    );
    return [`  ${id}: [`, ...entries, '  ],'];
  });
  const head = [
    '// How one player talks to its server. It was proposed from what another tool sent; what an answer is, you have to say.',
    '// The types are in capbench/player, where capbench is installed.',
    '',
  ];
  const pick = [
    '/** What is sent for each kind of operation; one is drawn where there are several. */',
    'const MESSAGES = {',
    ...messages,
    '};',
    '',
    'const messageOf = ({ kind }, context) => {',
    '  const all = MESSAGES[kind];',
    '  return all[Math.floor(context.random() * all.length)];',
    '};',
    '',
  ];
  return [...head, ...(talk.protocol === 'websocket' ? webSocket(talk.path, pick) : socketIo(pick))].join(
    '\n',
  );
}

const webSocket = (path: string, pick: readonly string[]): readonly string[] => [
  ...pick,
  '/** Connects one player, and resolves to its session. */',
  'export function connect(context) {',
  '  return new Promise((resolve, reject) => {',
  `    const socket = context.openSocket(${JSON.stringify(path)}.replace('{player}', String(context.player)));`,
  '    const session = { socket, waiting: [] };',
  "    socket.on('open', () => resolve(session));",
  "    socket.on('error', reject);",
  "    socket.on('close', (code) => {",
  '      reject(new Error("closed with code " + code));',
  '      context.lost("closed with code " + code);',
  '    });',
  '    // Any message answers the oldest operation. Where a server also sends what nobody asked for, compare an id here.',
  "    socket.on('message', () => {",
  '      const operation = session.waiting.shift();',
  "      if (operation !== undefined) context.settle(operation, 'ok');",
  '    });',
  '  });',
  '}',
  '',
  '/** Performs one operation when it is due. */',
  'export function perform(session, operation, context) {',
  '  session.waiting.push(operation);',
  '  const data = messageOf(operation, context)(context);',
  "  session.socket.send(typeof data === 'string' ? data : JSON.stringify(data));",
  '}',
  '',
  '/** Ends the session. */',
  'export function close(session) {',
  '  session.socket.close(1000);',
  '}',
  '',
];

const socketIo = (pick: readonly string[]): readonly string[] => [
  '// npm install socket.io-client',
  "import { io } from 'socket.io-client';",
  '',
  ...pick,
  '/** Connects one player, and resolves to its session. */',
  'export function connect(context) {',
  '  const socket = io(context.url, {',
  "    transports: ['websocket'],",
  '    reconnection: false,',
  '    forceNew: true,',
  '    extraHeaders: context.headers,',
  '  });',
  '  const session = { socket, waiting: [] };',
  "  context.signal.addEventListener('abort', () => socket.disconnect());",
  '  // Any event answers the oldest operation that is not acknowledged by a callback; name the event that is an answer.',
  '  socket.onAny(() => {',
  '    const operation = session.waiting.shift();',
  "    if (operation !== undefined) context.settle(operation, 'ok');",
  '  });',
  "  socket.on('disconnect', (reason) => context.lost(reason));",
  '  return new Promise((resolve, reject) => {',
  "    socket.on('connect', () => resolve(session));",
  "    socket.on('connect_error', reject);",
  '  });',
  '}',
  '',
  '/** Performs one operation when it is due. */',
  'export function perform(session, operation, context) {',
  '  const { event, data, acknowledged } = messageOf(operation, context);',
  '  const value = data(context);',
  '  if (acknowledged) {',
  "    session.socket.emit(event, value, () => context.settle(operation, 'ok'));",
  '  } else {',
  '    session.waiting.push(operation);',
  '    session.socket.emit(event, value);',
  '  }',
  '}',
  '',
  '/** Ends the session. */',
  'export function close(session) {',
  '  session.socket.disconnect();',
  '}',
  '',
];
