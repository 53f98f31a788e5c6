import { isIP, type LookupFunction } from 'node:net';

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
