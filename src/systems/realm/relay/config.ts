import { openEnvironment } from '../../../server/environment.ts';

export type RelayConfig = Readonly<ReturnType<typeof readConfig>>;

/** @throws CapbenchError (104) that names every missing or wrong variable */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const { text, check } = openEnvironment(env);
  const config = {
    host: text('HOST', '127.0.0.1'),
    /** Where its file is. */
    folder: text('FOLDER'),
    /** The bearer token of its clients; empty: none. */
    token: text('TOKEN', ''),
  };
  check('src/systems/realm/README.md lists every variable.');
  return config;
}
