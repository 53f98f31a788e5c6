import { codeOf } from '../errors.ts';

/** What is wrong with a server's certificate, by the code of the error. */
const PROBLEMS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by itself, and by no authority that is trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'is of an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'is of an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is of an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is of an authority that is not trusted',
  CERT_UNTRUSTED: 'is of an authority that is not trusted',
  CERT_REJECTED: 'is refused by its authority',
  CERT_REVOKED: 'was revoked',
  CERT_SIGNATURE_FAILURE: 'has a signature that is not its authority’s',
  INVALID_CA: 'is of an authority that may not sign certificates',
  INVALID_PURPOSE: 'is not for a server',
  CERT_CHAIN_TOO_LONG: 'has too long a chain of authorities',
};

const UNKNOWN_AUTHORITY =
  'name the authority that signed it, as PEM: --ca-file FILE; nothing turns the check off';
const RENEW = 'renew it there, and see that the clocks of both hosts are right; nothing turns the check off';
const OTHER_NAME =
  'name the host as the certificate does, or add this name to the certificate; nothing turns the check off';

interface TlsProblem {
  readonly what: string;
  readonly hint: string;
  /** Another authority would do. */
  readonly ofAuthority: boolean;
}

/** What is wrong between us and a server that should speak TLS, and what to do; null when it is something else. */
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
  const hint = 'see whether it speaks TLS at that port; http:// and ws:// go without';
  return problem(`no TLS can be agreed on (${code})`, hint);
}

const reasonOf = (error: Error): string =>
  'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
