import { CapbenchError, codeOf, EXIT, messageOf } from '../errors.ts';
import { tlsProblemOf } from './certificate.ts';

/** Why a connection was refused, or has ended. */
export type CauseKind = TabledKind | 'certificate';

export interface Cause {
  readonly kind: CauseKind;
  /** What happened, in the words of whoever told it. */
  readonly what: string;
  /** What to do about it; null where there is nothing that holds for all of them. */
  readonly hint: string | null;
}

/** What to do, by cause: the one table for players, whoever acts beside them, health and probes. Certificates have one of their own. */
const HINTS = {
  noTls: 'what listens there speaks no TLS: name it with http:// or ws://, or name the port at which it does',
  noHttp:
    'what listens there answers no HTTP: name it with https:// or wss:// where it wants TLS, or correct the port',
  noWebSocket: 'there is no WebSocket at that path: name it in --target, or in players.path of the scenario',
  subprotocol: "name the sub-protocol that the server speaks: --header 'Sec-WebSocket-Protocol: NAME'",
  badRequest:
    "the server wants something that is not sent: a sub-protocol (--header 'Sec-WebSocket-Protocol: NAME'), an Origin (--header 'Origin: https://game.example'), or another path or query (--target, players.path)",
  redirect:
    'redirects are not followed, since the load would go where nobody has consented: name the address that it points to in --target, or its path in the scenario',
  unauthorized:
    "the server wants to know who asks: --header-env Authorization=VARIABLE, or Cookie=VARIABLE; or an Origin that it knows: --header 'Origin: https://game.example'",
  notFound:
    'nothing is served at that path: see the path of --target (the prefix of a proxy), the paths in the scenario, and whether the server knows so many players',
  conflict: null,
  policy:
    'this is a policy of the server, not its capacity: raise its limit of connections or requests from one address for this host',
  noUpstream:
    'a proxy answers without a server behind it, or the server is not ready: see whether the game server itself runs, and how many connections the proxy may open to it',
  serverError: null,
  answer: null,
  closed: null,
  restarting: 'the server stops or is started again: see its log',
  overloaded:
    'the server says that it has too much to do, or holds connections back: see its limits and its log',
  tooLargeForThem: 'the server takes no frame of that size: shorten the commands, or raise its limit',
  byUs: 'capbench closed this connection, not the server',
  nobody:
    'start the server there, or correct the address; one that has run a moment ago has ended: see its log',
  reset:
    'the server, or something on the way to it, cut the connection: see its log and its limit of connections; a port that wants TLS also hangs up on http:// and ws://',
  silent:
    'nobody answers in time: see whether a firewall drops what is sent, and whether the server keeps up with new connections (a lower load.connectsPerSecond is kinder to it)',
  noRoute: 'there is no way to that host from here: see the address, and the network between',
  name: 'the name is not known here: correct it, or see the name servers of this host',
  descriptors: 'raise the limit of open files before the run: `ulimit -n`',
  ports:
    'the ephemeral ports are used up: widen their range (Linux: sysctl net.ipv4.ip_local_port_range="15000 64999"; macOS: net.inet.ip.portrange.first), or wait a minute for those of the last run',
  other: null,
};

type TabledKind = keyof typeof HINTS;

/** The cause of each of these words or numbers. */
const kindsOf = (words: Partial<Record<TabledKind, readonly (string | number)[]>>) =>
  new Map(
    Object.entries(words).flatMap(([kind, all]) => all.map((word) => [String(word), kind as TabledKind])),
  );

const causeOf = (kind: TabledKind, what: string): Cause => ({
  kind,
  what,
  hint: HINTS[kind],
});

/** One that the table says nothing about. */
export const unexplained = (what: string): Cause => causeOf('other', what);

/** By the codes of Node, undici and ws. */
const CODES = kindsOf({
  nobody: ['ECONNREFUSED', 'ENOENT'],
  reset: ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'UND_ERR_SOCKET'],
  silent: ['ETIMEDOUT', ...['CONNECT', 'HEADERS', 'BODY'].map((what) => `UND_ERR_${what}_TIMEOUT`)],
  noRoute: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
  name: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL'],
  descriptors: ['EMFILE', 'ENFILE'],
  ports: ['EADDRNOTAVAIL'],
});

/** By the words of ws, which has no codes for a handshake. */
const WORDS: readonly (readonly [words: RegExp, kind: TabledKind])[] = [
  [/subprotocol/i, 'subprotocol'],
  [/Invalid (?:Upgrade|Sec-WebSocket-Accept) header|Invalid .*extensions?\b/i, 'noWebSocket'],
  [/handshake has timed out/, 'silent'],
  [/socket hang up|other side closed/, 'reset'],
  [/Parse Error|Response does not match the HTTP/, 'noHttp'],
];

/** OpenSSL, of an answer that is no TLS. */
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST/i;

/** Of an error of the system, of TLS, of ws or of undici. */
export function causeOfError(error: unknown): Cause {
  // Several addresses were tried: what was wrong with the first stands for them.
  if (error instanceof AggregateError && error.errors.length > 0) return causeOfError(error.errors[0]);
  const message = messageOf(error);
  const code = codeOf(error);
  if (NOT_TLS.test(code) || (code === 'EPROTO' && NOT_TLS.test(message.replaceAll(' ', '_')))) {
    return causeOf('noTls', `no TLS can be agreed on (${code})`);
  }
  const tls = tlsProblemOf(error);
  if (tls !== null) return { kind: 'certificate', what: tls.what, hint: tls.hint };
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return causeOf('byUs', 'a frame came that is larger than capbench takes');
  }
  if (code.startsWith('WS_ERR_')) return causeOf('byUs', message);
  if (code.startsWith('HPE_')) return causeOf('noHttp', message);
  const known = CODES.get(code);
  if (known !== undefined) return causeOf(known, message);
  // How ws tells an answer where nobody listens to it.
  const [, status] = /Unexpected server response: (\d{3})/.exec(message) ?? [];
  if (status !== undefined) return causeOfUpgrade(Number(status));
  const [, kind = 'other'] = WORDS.find(([words]) => words.test(message)) ?? [];
  return causeOf(kind, message);
}

const STATUSES = kindsOf({
  badRequest: [400, 426],
  unauthorized: [401, 403, 407],
  notFound: [404, 405, 410],
  conflict: [409],
  policy: [429],
  noUpstream: [502, 503, 504],
});
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const LONGEST_LOCATION = 200;

/** Where a redirect points to, without what may be a secret in it: user, password, query and fragment. */
function shownLocation(location: string): string {
  const bare = location.replace(/^((?:[a-z][a-z0-9+.-]*:)?\/\/)[^/?#]*@/i, '$1').replace(/[?#].*$/s, '?..');
  return bare.length > LONGEST_LOCATION ? `${bare.slice(0, LONGEST_LOCATION)}..` : bare;
}

/** Of an HTTP answer where another one was expected. `location`: its header, where it has one. */
export function causeOfAnswer(status: number, location?: string): Cause {
  const text = `status ${status}`;
  if (REDIRECTS.has(status)) {
    return causeOf(
      'redirect',
      location === undefined || location === ''
        ? `${text}, without a Location`
        : `${text}, Location ${shownLocation(location)}`,
    );
  }
  return causeOf(STATUSES.get(String(status)) ?? (status >= 500 ? 'serverError' : 'answer'), text);
}

/** The same where a WebSocket was asked for: who answers well has none there. */
export function causeOfUpgrade(status: number, location?: string): Cause {
  const cause = causeOfAnswer(status, location);
  const what = `the server answered with ${cause.what}`;
  return status >= 200 && status < 300 ? causeOf('noWebSocket', what) : { ...cause, what };
}

/** RFC 6455, 7.4, and IANA's registry of close codes. */
const CLOSE_CODES = kindsOf({
  restarting: [1001, 1012],
  policy: [1008],
  tooLargeForThem: [1009],
  overloaded: [1013],
  noUpstream: [1014],
  unauthorized: [3000, 3003],
  silent: [3008],
});
const ABNORMAL = 1006;
const LONGEST_REASON = 123;

/** Of a close frame that the server sent; 1006: it ended the connection without one. */
export function causeOfClose(code: number, reason = ''): Cause {
  if (code === ABNORMAL) return causeOf('closed', 'without a close frame (code 1006)');
  const words = reason.slice(0, LONGEST_REASON);
  return causeOf(
    CLOSE_CODES.get(String(code)) ?? 'closed',
    words === '' ? `code ${code}` : `code ${code}, ${words}`,
  );
}

/** Refusals that may well be by number, whatever the server says about them. */
const BY_NUMBER: ReadonlySet<CauseKind> = new Set([
  ...(['policy', 'noUpstream', 'unauthorized', 'overloaded', 'serverError', 'answer'] as const),
  ...(['closed', 'reset', 'silent', 'nobody'] as const),
]);

/** A number that people choose for a limit: two digits at most that are not 0 or 5, or a power of two. */
export function isRound(count: number): boolean {
  if (count < 5) return false;
  const step = count < 10 ? 5 : 5 * 10 ** (String(count).length - 2);
  return count % step === 0 || (count >= 8 && (count & (count - 1)) === 0);
}

/** The cause of refusals that began when so many were connected, all of them from this host. */
export function causeOfRefusals(cause: Cause, connected: number): Cause {
  if (!BY_NUMBER.has(cause.kind) || !isRound(connected)) return cause;
  return {
    kind: 'policy',
    what: cause.what,
    hint: `the refusals began when ${connected} were connected, a round number: likely a limit of connections from one address. ${HINTS.policy}`,
  };
}

/** A cause as one sentence: what happened, and what to do. */
export const sentenceOf = ({ what, hint }: Cause): string => (hint === null ? what : `${what}: ${hint}`);

/** A connection that was refused: exit code 93, with the cause's hint. */
export class ConnectionRefused extends CapbenchError {
  readonly kind: CauseKind;

  constructor(where: string, { kind, what, hint }: Cause) {
    super(EXIT.stackFailed, `${where}: ${what}`, hint ?? undefined);
    this.kind = kind;
  }
}
