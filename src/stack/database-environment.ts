import type { StartedComponent } from './component-spec.ts';

/** The environment variables with which a server of a reference world finds the database of this component. */
export function databaseEnvironment({ database }: StartedComponent): Readonly<Record<string, string>> {
  if (database === undefined) return {};
  return {
    DB_SOCKET_PATH: database.host,
    DB_PORT: String(database.port),
    DB_USER: database.user,
    DB_PASSWORD: database.password,
    DB_NAME: database.database,
  };
}
