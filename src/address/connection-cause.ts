import { CapbenchError, codeOf, EXIT, messageOf } from '../errors.ts';
import { tlsProblemOf } from './certificate.ts';

/** Why a connection was refused, or has ended. */
export type CauseKind = TabledKind | 'certificate';

export interface Cause {
  readonly kind: CauseKind;
  /** What happened, in the words of the error or the answer. */
  readonly what: string;
  /** What to do about it; null where no advice fits every such case. */
  readonly hint: string | null;
}

/** What to do, by cause: the one table for players, other sources of load, health and probes. Certificates have their own table. */
const HINTS = {
  noTls: 'the server speaks no TLS at that port: use http:// or ws://, or the port at which it speaks TLS',
  noHttp:
    'the server at that port does not answer with HTTP: use https:// or wss:// if it requires TLS, or correct the port',
  noWebSocket:
    'there is no WebSocket at that path: give its path in --target, or in players.path of the scenario',
  subprotocol:
    'name the sub-protocol that the server speaks: players.subprotocols of the scenario (subprotocols: [game.v1])',
  badRequest:
    "the server requires something that is not sent: a sub-protocol (players.subprotocols of the scenario: [game.v1]), an Origin (--header 'Origin: https://game.example'), or another path or query (--target, players.path)",
  redirect:
    'redirects are not followed, since the load would reach a host that is not confirmed: use the address that it points to in --target, or its path in the scenario',
  unauthorized:
    "the server requires credentials: --header-env Authorization=VARIABLE, or Cookie=VARIABLE; or an Origin that it accepts: --header 'Origin: https://game.example'",
  notFound:
    'nothing is served at that path: check the path of --target (the prefix of a proxy), the paths in the scenario, and whether the server knows so many players',
  conflict: null,
  policy:
    "this is the server's policy, not its capacity: raise its limit of connections or requests from one address for this host",
  noUpstream:
    'a proxy answers without a server behind it, or the server is not ready: check whether the game server itself runs, and how many connections the proxy may open to it',
  serverError: null,
  answer: null,
  closed: null,
  restarting: 'the server is stopping or restarting: see its log',
  overloaded: 'the server reports that it is overloaded, or limits connections: see its limits and its log',
  protocolError:
    'the server takes what it got for a violation of its protocol: name the sub-protocol that it expects (players.subprotocols of the scenario), or correct the frames',
  frameTooLarge: 'the server refuses frames of that size: shorten the commands, or raise its limit',
  frameTooLong:
    'capbench closed this connection, not the server: raise the limit with players.largestFrame of the scenario, where the players are your own',
  closedByCapbench: 'capbench closed this connection, not the server',
  refused: 'start the server there, or correct the address; if it was running until now, see its log',
  reset:
    'the server, or something on the way to it, reset the connection: see its log and its limit of connections; a port that requires TLS also resets http:// and ws://',
  timeout:
    'there was no answer in time: check whether a firewall drops packets, and whether the server keeps up with new connections (lower load.connectsPerSecond if not)',
  noRoute: 'there is no route to that host: check the address, and the network between',
  unknownName: 'the name cannot be resolved: correct it, or check the name servers of this host',
  descriptors: 'raise the limit of open files before the run: `ulimit -n`',
  ports:
    'the ephemeral ports are used up: widen their range (Linux: sysctl net.ipv4.ip_local_port_range="15000 64999"; macOS: net.inet.ip.portrange.first), or wait a minute for those of the last run',
  other: null,
};

type TabledKind = keyof typeof HINTS;

/** Each of these words or numbers -> its cause. */
const kindsOf = (words: Partial<Record<TabledKind, readonly (string | number)[]>>) =>
  new Map(
    Object.entries(words).flatMap(([kind, all]) => all.map((word) => [String(word), kind as TabledKind])),
  );

const causeOf = (kind: TabledKind, what: string): Cause => ({
  kind,
  what,
  hint: HINTS[kind],
});

/** A cause that is not in the table. */
export const unexplained = (what: string): Cause => causeOf('other', what);

/** By the codes of Node, undici and ws. */
const CODES = kindsOf({
  refused: ['ECONNREFUSED', 'ENOENT'],
  reset: ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'UND_ERR_SOCKET'],
  timeout: ['ETIMEDOUT', ...['CONNECT', 'HEADERS', 'BODY'].map((what) => `UND_ERR_${what}_TIMEOUT`)],
  noRoute: ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
  unknownName: ['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL'],
  descriptors: ['EMFILE', 'ENFILE'],
  ports: ['EADDRNOTAVAIL'],
});

/** By the messages of ws, which gives handshake errors no codes. */
const WORDS: readonly (readonly [words: RegExp, kind: TabledKind])[] = [
  [/subprotocol/i, 'subprotocol'],
  [/Invalid (?:Upgrade|Sec-WebSocket-Accept) header|Invalid .*extensions?\b/i, 'noWebSocket'],
  [/handshake has timed out/, 'timeout'],
  [/socket hang up|other side closed/, 'reset'],
  [/Parse Error|Response does not match the HTTP/, 'noHttp'],
];

/** OpenSSL's codes for an answer that is not TLS. */
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL|HTTP_REQUEST/i;

/** The cause of an error of the system, of TLS, of ws or of undici. */
export function causeOfError(error: unknown): Cause {
  // Several addresses were tried: the first one's error is reported.
  if (error instanceof AggregateError && error.errors.length > 0) return causeOfError(error.errors[0]);
  const message = messageOf(error);
  const code = codeOf(error);
  if (NOT_TLS.test(code) || (code === 'EPROTO' && NOT_TLS.test(message.replaceAll(' ', '_')))) {
    return causeOf('noTls', `the TLS handshake failed (${code})`);
  }
  const tls = tlsProblemOf(error);
  if (tls !== null) return { kind: 'certificate', what: tls.what, hint: tls.hint };
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    return causeOf('frameTooLong', 'the server sent a frame that is larger than capbench accepts');
  }
  if (code.startsWith('WS_ERR_')) return causeOf('closedByCapbench', message);
  if (code.startsWith('HPE_')) return causeOf('noHttp', message);
  const known = CODES.get(code);
  if (known !== undefined) return causeOf(known, message);
  // ws reports an HTTP answer only in its message where no listener takes the response.
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

/** The target of a redirect, without the parts that may hold a secret: user, password, query and fragment. */
function shownLocation(location: string): string {
  const bare = location.replace(/^((?:[a-z][a-z0-9+.-]*:)?\/\/)[^/?#]*@/i, '$1').replace(/[?#].*$/s, '?..');
  return bare.length > LONGEST_LOCATION ? `${bare.slice(0, LONGEST_LOCATION)}..` : bare;
}

/** The cause of an unexpected HTTP answer. `location`: its header, where it has one. */
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

/** The same for a WebSocket upgrade, where even a 2xx answer means that there is no WebSocket. */
export function causeOfUpgrade(status: number, location?: string): Cause {
  const cause = causeOfAnswer(status, location);
  const what = `the server answered with ${cause.what}`;
  return status >= 200 && status < 300 ? causeOf('noWebSocket', what) : { ...cause, what };
}

/** RFC 6455, 7.4, and IANA's registry of close codes. */
const CLOSE_CODES = kindsOf({
  restarting: [1001, 1012],
  protocolError: [1002, 1003, 1007],
  policy: [1008],
  frameTooLarge: [1009],
  overloaded: [1013],
  noUpstream: [1014],
  unauthorized: [3000, 3003],
  timeout: [3008],
});
const ABNORMAL = 1006;
const LONGEST_REASON = 123;

/** The cause of a close frame from the server; 1006: the connection ended without one. */
export function causeOfClose(code: number, reason = ''): Cause {
  if (code === ABNORMAL) return causeOf('closed', 'without a close frame (code 1006)');
  const words = reason.slice(0, LONGEST_REASON);
  return causeOf(
    CLOSE_CODES.get(String(code)) ?? 'closed',
    words === '' ? `code ${code}` : `code ${code}, ${words}`,
  );
}

/** Causes behind which a limit of connections may stand, whatever the server reports. */
const MAY_BE_LIMIT: ReadonlySet<CauseKind> = new Set([
  ...(['policy', 'noUpstream', 'unauthorized', 'overloaded', 'serverError', 'answer'] as const),
  ...(['closed', 'reset', 'timeout', 'refused'] as const),
]);

/** Whether people would choose this number as a limit: 25, 200 or 1500 (a second digit of 0 or 5, then zeros), or a power of two. */
export function isRound(count: number): boolean {
  if (count < 5) return false;
  const step = count < 10 ? 5 : 5 * 10 ** (String(count).length - 2);
  return count % step === 0 || (count >= 8 && (count & (count - 1)) === 0);
}

/** The cause of refusals that began when this number of players was connected, all of them from this host. */
export function causeOfRefusals(cause: Cause, connected: number): Cause {
  if (!MAY_BE_LIMIT.has(cause.kind) || !isRound(connected)) return cause;
  return {
    kind: 'policy',
    what: cause.what,
    hint: `the refusals began at ${connected} connections, a round number: probably a limit of connections from one address. ${HINTS.policy}`,
  };
}

/** A cause as one sentence: what happened, and what to do. */
export const sentenceOf = ({ what, hint }: Cause): string => (hint === null ? what : `${what}: ${hint}`);

/** Exit code 93, with the cause's hint. */
export class ConnectionRefused extends CapbenchError {
  readonly kind: CauseKind;

  constructor(where: string, { kind, what, hint }: Cause) {
    super(EXIT.stackFailed, `${where}: ${what}`, hint ?? undefined);
    this.kind = kind;
  }
}
