import { badInput } from '../errors.ts';
import {
  hostOf,
  type Located,
  locate,
  ownedHosts,
  repeatable,
  type Surroundings,
  surroundings,
} from './host-consent.ts';

/** A `--target` that may be loaded, its name resolved once and for all. */
export interface Target extends Located {
  /** Base URL, http or https, without a trailing slash. A name stays: a Host header and a certificate hold it. */
  readonly url: string;
}

const SCHEMES: Readonly<Record<string, string>> = {
  'http:': 'http:',
  'https:': 'https:',
  'ws:': 'http:',
  'wss:': 'https:',
};
const EXAMPLE = 'give an address like http://127.0.0.1:4001';

/**
 * The targets of a run, judged before any of them is asked anything (host-consent.ts). `--i-own` is the host of a
 * target as written, or one of `others`. No message repeats a password or a query.
 */
export async function resolveTargets(
  texts: readonly string[],
  owned: readonly string[],
  around: Surroundings = surroundings(),
  others: readonly string[] = [],
): Promise<readonly Target[]> {
  const urls = texts.map(parse);
  const hosts = ownedHosts(owned, new Set([...urls.map(hostOf), ...others]));
  return Promise.all(urls.map((url) => resolveOne(url, hosts, around)));
}

async function resolveOne(url: URL, owned: readonly string[], around: Surroundings): Promise<Target> {
  const named = { subject: 'the target', host: hostOf(url), shown: url.host, example: EXAMPLE };
  return {
    url: `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`,
    ...(await locate(named, owned, around)),
  };
}

function parse(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw badInput(`--target: ${repeatable(text)} is no URL`, EXAMPLE);
  }
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined || url.hostname === '')
    throw badInput(`--target: ${repeatable(text)} is neither http, https, ws nor wss`, EXAMPLE);
  if (url.username !== '' || url.password !== '')
    throw badInput(
      `--target: the address of ${url.host} holds a user or a password`,
      `${EXAMPLE}, without them: --header-env Cookie=GAME_COOKIE sends what the variable holds`,
    );
  if (url.search !== '' || url.hash !== '')
    throw badInput(
      `--target: the address of ${url.host} holds a query or a fragment`,
      `${EXAMPLE}, without them`,
    );
  // Setting `protocol` keeps ports consistent with the new scheme.
  return new URL(`${scheme}${url.href.slice(url.protocol.length)}`);
}

/** A target's address as `resolveTargets` would have it, for somebody else to reach: nothing is resolved or asked. */
export function targetUrl(text: string): string {
  const { protocol, host, pathname } = parse(text);
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
}
