import type { Redis } from 'ioredis';
import type { RedisSettings } from '../scenario/redis-settings.ts';
import type { RedisProgram } from './redis-program.ts';
import { shownSetting } from './settings.ts';
import type { AppliedSetting } from './stack.ts';

/** Where a Redis listens and keeps its files. */
interface Placement {
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  readonly password: string;
}

/** Nothing is written to disk unless the scenario says so. */
const DEFAULTS: Readonly<Record<string, string>> = { save: '', appendonly: 'no' };

/** redis.conf: the scenario's settings, and those that it cannot change, since the last line of a setting counts. */
export function redisConfiguration(
  settings: RedisSettings['settings'],
  { host, port, folder, password }: Placement,
): string {
  const lines = [
    ...Object.entries({ ...DEFAULTS, ...settings }).flatMap(([name, value]) => linesOf(name, value)),
    `bind ${host}`,
    `port ${port}`,
    'protected-mode yes',
    'daemonize no',
    'supervised no',
    `dir "${folder}"`,
    'logfile ""',
    `requirepass ${password}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Redis 6 has one pair of seconds and changes in each line of `save`. */
function linesOf(name: string, value: string): readonly string[] {
  if (value === '') return [`${name} ""`];
  if (name !== 'save') return [`${name} ${value}`];
  return value.match(/\S+(?:\s+\S+)?/g)?.map((pair) => `${name} ${pair}`) ?? [];
}

/** Its answer is longer than what was set: it names every class of clients. */
const NOT_COMPARED = new Set(['client-output-buffer-limit']);

/** The names of the settings that a Redis with these will report. */
export const redisSettingNames = ({ settings }: RedisSettings): readonly string[] => [
  ...Object.keys(settings).map((name) => `redis.${name}`),
  'redisVersion',
];

/**
 * The settings in force: one that Redis changed, such as `maxclients` where the host allows fewer open files, has the
 * actual value and the reason.
 */
export async function appliedRedisSettings(
  { version, settings }: RedisSettings,
  program: RedisProgram,
  client: Pick<Redis, 'config'>,
): Promise<readonly AppliedSetting[]> {
  const applied: AppliedSetting[] = [];
  for (const [name, documented] of Object.entries(settings)) {
    const [, inForce] = await client.config('GET', name);
    applied.push(
      typeof inForce !== 'string' || NOT_COMPARED.has(name) || isSame(documented, inForce)
        ? shownSetting(`redis.${name}`, documented)
        : {
            ...shownSetting(`redis.${name}`, documented, inForce),
            reason: `${program.product} runs with ${inForce === '' ? 'none' : inForce}`,
          },
    );
  }
  const [major = ''] = program.version.split('.');
  const isDocumented = version === undefined || (program.product === 'Redis' && String(version) === major);
  return [
    ...applied,
    {
      ...shownSetting('redisVersion', version ?? 'not stated', `${program.product} ${program.version}`),
      reason: isDocumented ? null : `${program.product} ${program.version} is what this host has`,
    },
  ];
}

const plain = (text: string): string => text.toLowerCase().replace(/\s+/g, ' ');

/** Redis answers sizes in bytes: 64mb is 67108864. */
function isSame(documented: string, inForce: string): boolean {
  const bytes = bytesOf(documented);
  return plain(documented) === plain(inForce) || (bytes !== undefined && String(bytes) === inForce);
}

/** A size as redis.conf writes it: `1k` is 1000 bytes, `1kb` is 1024. */
function bytesOf(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d+)([kmg]b?)$/i.exec(text) ?? [];
  const power = ['k', 'm', 'g'].indexOf(unit.charAt(0).toLowerCase()) + 1;
  return count === '' ? undefined : Number(count) * (unit.length === 2 ? 1024 : 1000) ** power;
}
