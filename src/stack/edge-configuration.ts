import type { EdgeSettings } from '../scenario/edge.ts';

/** Everything that a proxy's configuration is written from. */
export interface EdgePlan {
  readonly edge: EdgeSettings;
  /** Where it listens. */
  readonly host: string;
  readonly port: number;
  /** Addresses as `127.0.0.1:4001`. */
  readonly servers: readonly { readonly name: string; readonly address: string }[];
  /** Its own folder, for all that it writes. */
  readonly folder: string;
  /** Connections of clients that it accepts at once. */
  readonly connections: number;
  /** The file with its certificate and key (PEM); null: clients connect without TLS. */
  readonly certificate: string | null;
  /** The address of a server that is checked as the others are, and gets no clients; null: there is none. */
  readonly yardstick: string | null;
}
