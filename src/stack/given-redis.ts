import { redisAddressOf } from '../address/probe-address.ts';
import { isLoginUnneeded } from '../address/redis-login.ts';
import { type CapbenchError, messageOf, stackFailed } from '../errors.ts';
import { counted } from '../units.ts';
import type { Component } from './component.ts';
import type { ComponentSpec } from './component-spec.ts';
import { redisAnswer } from './redis-answer.ts';
import { shownSetting } from './settings.ts';

/** A Redis that runs already, and that a run uses in place of one of its own. */
export interface GivenRedis {
  /** `redis://USER:PASSWORD@ADDRESS:PORT/DATABASE` */
  readonly url: string;
  /** For messages, without secrets: `127.0.0.1:6379`. */
  readonly shown: string;
  readonly onThisHost: boolean;
}

const LIMIT_MS = 5_000;

/**
 * The component `redis` over a Redis that is not capbench's: it is not started, settings are not applied, and faults do not
 * reach it. Its database must be empty, and is emptied at the end.
 */
export const givenRedis = ({ url, shown }: GivenRedis): ComponentSpec => ({
  name: 'redis',
  faults: [],
  after: [],
  async start() {
    const keys = await redisAnswer(url, LIMIT_MS, async (client) => {
      // Every later client asks for it, and writes to stderr where the account may not.
      await client.info('server');
      return client.dbsize();
    }).catch((error: unknown) => {
      throw unusable(url, shown, error);
    });
    if (keys > 0) {
      throw stackFailed(
        `the database of the Redis at ${shown} has ${counted(keys, 'key')}, expected an empty one (--redis)`,
        'name an empty database, which the run may fill and empties at the end: redis://HOST:PORT/1; a run that was killed leaves its keys there (redis-cli -n DATABASE FLUSHDB)',
      );
    }
    return {
      component: componentOf(url, shown),
      addresses: { redis: url },
      settings: [{ ...shownSetting('redis', 'not stated', `${shown} (--redis)`), reason: NOT_OURS }],
    };
  },
});

/** Why a Redis cannot be used, and what to correct in its URL. */
function unusable(url: string, shown: string, error: unknown): CapbenchError {
  const message = messageOf(error);
  if (isLoginUnneeded(message)) {
    return stackFailed(
      `the Redis at ${shown} needs no password, and the URL has one (--redis)`,
      'leave the password out of the URL, or set requirepass in that Redis',
      error,
    );
  }
  if (/DB index is out of range/.test(message)) {
    return stackFailed(
      `the Redis at ${shown} has no database ${redisAddressOf(url).database} (--redis)`,
      'name a lower number in the URL (redis://HOST:PORT/1), or raise databases in the configuration of that Redis',
      error,
    );
  }
  return stackFailed(
    `the Redis at ${shown} does not answer: ${message} (--redis)`,
    'start it there, or correct the URL: redis://HOST:PORT/DATABASE, with user and password before an @ in front of the host',
    error,
  );
}

const NOT_OURS = 'it runs already, with settings of its own';

function componentOf(url: string, shown: string): Component {
  const refuse = async (): Promise<never> => {
    throw stackFailed(`the Redis at ${shown} was not started by capbench`, 'leave --redis out for faults');
  };
  let closed: Promise<void> | undefined;
  return {
    ...{ name: 'redis', pid: null, log: null, disturbed: false },
    failure: new Promise(() => {}),
    ...{ kill: refuse, stop: refuse, restart: refuse },
    close() {
      closed ??= redisAnswer(url, LIMIT_MS, (client) => client.flushdb()).then(
        () => undefined,
        (error: unknown) => {
          throw new Error(`the keys of the run are still in the Redis at ${shown}: ${messageOf(error)}`);
        },
      );
      return closed;
    },
  };
}
