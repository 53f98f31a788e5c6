import { badInput } from '../errors.ts';
import type { DatabaseAccess } from './database-connection.ts';

/** Reads a server's environment variables, and remembers what is missing or wrong. */
export interface Environment {
  text(name: string, fallback?: string): string;
  /** From `min` to `max`; `min` where it is wrong. */
  integer(name: string, min: number, max: number, fallback?: number): number;
  /** One of `choices`; the first where it is not set, or wrong. */
  choice<const T extends string>(name: string, choices: readonly [T, ...T[]]): T;
  /** DB_SOCKET_PATH, DB_PORT, DB_USER, DB_PASSWORD and DB_NAME. */
  database(): DatabaseAccess;
  /** @throws CapbenchError (104) that names every missing or wrong variable, with the hint */
  check(hint: string): void;
}

export function openEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const problems: string[] = [];
  const text = (name: string, fallback?: string): string => {
    const value = env[name] ?? fallback;
    if (value === undefined) problems.push(`${name} is not set`);
    return value ?? '';
  };
  const integer = (name: string, min: number, max: number, fallback?: number): number => {
    const given = text(name, fallback === undefined ? undefined : String(fallback));
    if (env[name] === undefined && fallback === undefined) return min;
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
    if (value >= min && value <= max) return value;
    problems.push(`${name} is "${given}", expected a whole number from ${min} to ${max}`);
    return min;
  };
  return {
    text,
    integer,
    choice(name, choices) {
      const given = text(name, choices[0]);
      const known = choices.find((one) => one === given);
      if (known !== undefined) return known;
      const expected = choices.map((one) => `"${one}"`).join(' or ');
      problems.push(`${name} is "${given}", expected ${expected}`);
      return choices[0];
    },
    database: () => ({
      host: text('DB_SOCKET_PATH'),
      port: integer('DB_PORT', 1, 65_535, 5_432),
      user: text('DB_USER'),
      password: text('DB_PASSWORD', ''),
      name: text('DB_NAME'),
    }),
    check(hint) {
      if (problems.length > 0)
        throw badInput(`The world server's environment is wrong: ${problems.join('; ')}.`, hint);
    },
  };
}
