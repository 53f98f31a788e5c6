import { codeOf } from '../errors.ts';

/** What is wrong with a server's certificate, by error code. */
const PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is self-signed and not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by a CA that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'is signed by a CA that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by a CA that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by a CA that is not trusted',
  CERT_UNTRUSTED: 'is signed by a CA that is not trusted',
  CERT_REJECTED: 'is rejected by its CA',
  CERT_REVOKED: 'was revoked',
  CERT_SIGNATURE_FAILURE: 'has a signature that its CA did not make',
  INVALID_CA: 'is signed by a CA that may not sign certificates',
  INVALID_PURPOSE: 'is not a server certificate',
  CERT_CHAIN_TOO_LONG: 'has too long a chain of CAs',
};

const UNKNOWN_AUTHORITY =
  'pass the CA certificate that signed it (PEM): --ca-file FILE; the check cannot be turned off';
const RENEW =
  'renew the certificate, and check that the clocks of both hosts are right; the check cannot be turned off';
const OTHER_NAME =
  'use the host name of the certificate, or add this name to the certificate; the check cannot be turned off';

interface TlsProblem {
  readonly what: string;
  readonly hint: string;
  /** Another CA certificate would solve it. */
  readonly ofAuthority: boolean;
}

/** Why a TLS connection failed, and what to do; null where the error is not about TLS. */
export function tlsProblemOf(error: unknown): TlsProblem | null {
  const code = codeOf(error);
  const problem = (what: string, hint: string, ofAuthority = false): TlsProblem => ({
    what,
    hint,
    ofAuthority,
  });
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return problem(`the certificate is for another host: ${reasonOf(error as Error)}`, OTHER_NAME);
  }
  const known = PROBLEMS[code];
  if (known !== undefined) {
    const dated = code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID';
    return problem(`the certificate ${known}`, dated ? RENEW : UNKNOWN_AUTHORITY, !dated);
  }
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_')) return null;
  const hint = 'check whether the server speaks TLS at that port; http:// and ws:// use none';
  return problem(`the TLS handshake failed (${code})`, hint);
}

const reasonOf = (error: Error): string =>
  'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
