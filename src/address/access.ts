import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';

/**
 * For `net.connect` and `tls.connect`: every name is at this one address, and no resolver is asked. A name that was
 * checked once and then looked up again could have moved in between (DNS rebinding), from this host to another.
 * The Host header and the name in the certificate stay those of the URL.
 */
export const pinnedLookup =
  (address: string): LookupFunction =>
  (_name, options, callback) => {
    const family = isIP(address);
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };

/** How a server is reached, beside its URL. Plain data: it goes to the load's processes too. */
export interface Access {
  /**
   * What the name in the URL was resolved to, once: every connection goes there. Absent where
   * the URL holds an address itself.
   */
  readonly address?: string;
  /** The certificates, as PEM, of the only authorities that are trusted; absent: those that Node trusts. */
  readonly ca?: string;
  /** Sent with every request and every WebSocket's upgrade. They may hold secrets: no message repeats them. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server with its address: enough to ask it something. */
export interface Reachable extends Access {
  /** Base URL, without a trailing slash. */
  readonly url: string;
}

/** The access alone, of whatever bears it. */
export const accessOf = ({ address, ca, headers }: Access): Access => ({
  ...(address === undefined ? {} : { address }),
  ...(ca === undefined ? {} : { ca }),
  ...(headers === undefined ? {} : { headers }),
});

/** How a server is spoken to that wants the token of the run; empty: it wants none. */
export const withToken = (token: string): Pick<Access, 'headers'> =>
  token === '' ? {} : { headers: { authorization: `Bearer ${token}` } };

/** One file of authorities for a run: parsed once for thousands of connections. */
let parsed: { readonly ca: string; readonly context: SecureContext } | null = null;

function contextOf(ca: string): SecureContext {
  if (parsed?.ca !== ca) parsed = { ca, context: createSecureContext({ ca }) };
  return parsed.context;
}

/** For `net.connect` and `tls.connect`, and what hands its options on to them. */
export const dialOptions = ({ address, ca }: Access) => ({
  ...(address === undefined ? {} : { lookup: pinnedLookup(address) }),
  ...(ca === undefined ? {} : { secureContext: contextOf(ca) }),
});

/** The same for undici; null where its own agent would do. */
export const connectorOptions = (access: Access): buildConnector.BuildOptions | null =>
  access.address === undefined && access.ca === undefined ? null : dialOptions(access);
