import { causeOfError } from '../../address/connection-cause.ts';
import { monotonic } from '../../clock.ts';
import type { Dialler, Protocol } from '../player/connection.ts';
import type { PlayerSockets } from '../player/player-sockets.ts';
import { CONNECT_TIMEOUT_MS } from '../player/socket.ts';
import { Groups } from './groups.ts';
import { ModuleConnection, type PlayerTraffic } from './module-connection.ts';
import { oneLine } from './module-file.ts';
import type { ModulePlan } from './module-plan.ts';
import { Turns } from './turns.ts';

/** Players by module: a user's, or the code of a reference world. Errors of the code are reported with its name. */
export class ModuleProtocol implements Protocol {
  readonly sockets: PlayerSockets;
  readonly countsSockets = true;
  private readonly plan: ModulePlan;
  private readonly traffic: PlayerTraffic = { settled: false };
  private readonly turns = new Turns();
  private readonly groups: Groups;

  constructor(plan: ModulePlan) {
    this.plan = plan;
    this.groups = new Groups(plan);
    this.sockets = plan.sockets;
  }

  unseenTraffic(silent: boolean): string | null {
    const { hidden, elsewhere } = this.plan.dials;
    const idle = silent ? 'settled operations while its connections to the targets carried nothing' : null;
    const unseen = this.traffic.settled && this.sockets.opened === 0 ? unconnected(elsewhere) : idle;
    const what = hidden ?? unseen;
    return what === null ? null : `${this.plan.code.subject} ${what}: its bytes are not all counted`;
  }

  dial(player: number, dialler: Dialler): void {
    const begin = monotonic();
    const { code } = this.plan;
    const connection = new ModuleConnection(player, this.plan, this.traffic, this.turns, this.groups);
    let over = false;
    const fail = (message: string, hint: string | null = null): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      connection.cut();
      dialler.refused(player, { kind: 'other', what: `${code.label}: ${message}`, hint });
    };
    const timer = setTimeout(
      () => fail(`connect returned no session within ${CONNECT_TIMEOUT_MS / 1e3} s`, code.connectHint),
      CONNECT_TIMEOUT_MS,
    );
    connection.open().then(
      () => {
        // It came after the timeout.
        if (over) return connection.cut();
        if (!dialler.isOpen) return fail('cancelled');
        if (!connection.isOpen) return fail('the connection was lost while connecting', code.connectHint);
        over = true;
        clearTimeout(timer);
        dialler.welcomed(player, connection, connection.welcome, monotonic() - begin);
      },
      (thrown: unknown) => fail(`connect: ${oneLine(thrown)}`, hintOf(thrown) ?? code.connectHint),
    );
  }
}

/** Of a module that settled operations over connections that nobody saw. */
function unconnected(elsewhere: ReadonlySet<string>): string {
  const what = 'settled operations and opened no connection to a target that capbench saw';
  return elsewhere.size === 0 ? what : `${what}, only to ${[...elsewhere].join(', ')}`;
}

/** The hint for an error of `connect`, if it is a network error. */
function hintOf(thrown: unknown): string | null {
  return thrown instanceof Error ? causeOfError(thrown).hint : null;
}
