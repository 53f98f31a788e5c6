import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { buildConnector } from 'undici';

/**
 * For `net.connect` and `tls.connect`: every name resolves to this address, without a resolver. A name that is looked up
 * a second time, after it was checked, could point to another host by then (DNS rebinding).
 * The Host header and the name in the certificate stay those of the URL.
 */
export const pinnedLookup =
  (address: string): LookupFunction =>
  (_name, options, callback) => {
    const family = isIP(address);
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };

/** How a server is reached, beside its URL. Plain data, since the load's processes receive it, too. */
export interface Access {
  /** The address that the name in the URL was resolved to; every connection goes there. Absent where the URL holds an address. */
  readonly address?: string;
  /** CA certificates (PEM) that replace those that Node trusts. */
  readonly ca?: string;
  /** Sent with every request and every WebSocket upgrade. They may hold secrets: no message repeats them. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server's URL and access. */
export interface Reachable extends Access {
  /** Base URL, without a trailing slash. */
  readonly url: string;
}

/** Only the fields of Access. */
export const accessOf = ({ address, ca, headers }: Access): Access => ({
  ...(address === undefined ? {} : { address }),
  ...(ca === undefined ? {} : { ca }),
  ...(headers === undefined ? {} : { headers }),
});

/** The access to a server that requires the run's token; an empty token: it requires none. */
export const withToken = (token: string): Pick<Access, 'headers'> =>
  token === '' ? {} : { headers: { authorization: `Bearer ${token}` } };

/** A run has one file of CA certificates: it is parsed once for thousands of connections. */
let parsed: { readonly ca: string; readonly context: SecureContext } | null = null;

function contextOf(ca: string): SecureContext {
  if (parsed?.ca !== ca) parsed = { ca, context: createSecureContext({ ca }) };
  return parsed.context;
}

/** Options for `net.connect` and `tls.connect`, and for clients that pass their options on to these. */
export const dialOptions = ({ address, ca }: Access) => ({
  ...(address === undefined ? {} : { lookup: pinnedLookup(address) }),
  ...(ca === undefined ? {} : { secureContext: contextOf(ca) }),
});

/** The same for undici; null where its default agent is enough. */
export const connectorOptions = (access: Access): buildConnector.BuildOptions | null =>
  access.address === undefined && access.ca === undefined ? null : dialOptions(access);
