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

export interface TlsProblem {
  readonly what: string;
  readonly hint: string;
  /** Another authority would do. */
  readonly ofAuthority: boolean;
}

/** What is wrong between us and a server that should speak TLS, and what to do; null when it is something else. */
export function tlsProblemOf(error: unknown): TlsProblem | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  const code = String(error.code);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      what: `the certificate is for another host: ${reasonOf(error)}`,
      hint: OTHER_NAME,
      ofAuthority: false,
    };
  }
  const problem = PROBLEMS[code];
  if (problem !== undefined) {
    const dated = code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID';
    return {
      what: `the certificate ${problem}`,
      hint: dated ? RENEW : UNKNOWN_AUTHORITY,
      ofAuthority: !dated,
    };
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return {
      what: `no TLS can be agreed on (${code})`,
      hint: 'see whether it speaks TLS at that port; http:// and ws:// go without',
      ofAuthority: false,
    };
  }
  return null;
}

const reasonOf = (error: Error): string =>
  'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
