import { routesOf } from '../../load/fleet/deal.ts';
import { preparedOf, prepareRun } from '../../load/module/prepare.ts';
import { PlayerSockets } from '../../load/player/player-sockets.ts';
import { SocketProtocol } from '../../load/player/socket-protocol.ts';
import { watchDials } from '../../load/player/watched-dials.ts';
import type { WorkerModule } from '../../load/source.ts';
import { JsonCodec } from './json.ts';
import type { Session } from './login.ts';
import { PlayerValues } from './player-values.ts';
import { largestFrameOf, ownWorkload } from './players.ts';

/** The protocol of a load worker's players. Modules that only some protocols need are loaded on demand. */
export const openProtocol: WorkerModule['openProtocol'] = async (setup, tools, ids) => {
  const { seed, players, group = 1, operations, outstanding, timeout } = setup.workload;
  const { playing } = ownWorkload(setup.workload);
  const { errors } = tools;
  const route = routesOf(setup, ids);
  const values = await PlayerValues.open(setup, ids);
  // Null servers know no log-in.
  const login =
    setup.workload.isCalibration === true || playing.protocol === 'module' ? undefined : playing.login;
  switch (playing.protocol) {
    case 'json': {
      const codec = new JsonCodec(playing, setup.workload, ids, values);
      const plan = { ids, codec, errors, offer: playing };
      if (login?.path === undefined) return new SocketProtocol({ ...plan, route });
      const { Login, afterLogin, headersOf } = await import('./login.ts');
      const sessions: (Session | null)[] = [];
      const inner = new SocketProtocol({
        ...plan,
        route: (player) => {
          const to = route(player);
          const session = sessions[player] ?? null;
          return session === null ? to : { ...to, headers: headersOf(to, session) };
        },
      });
      return afterLogin(inner, {
        login: new Login({ ...login, path: login.path }, values),
        ...{ route, sockets: inner.sockets, sessions },
      });
    }
    case 'http': {
      const [{ HttpProtocol }, { Login }] = await Promise.all([import('./http.ts'), import('./login.ts')]);
      return new HttpProtocol({
        players: playing,
        seed,
        operations,
        ids,
        outstanding,
        timeout,
        route,
        errors,
        values,
        login: login?.path === undefined ? null : new Login({ ...login, path: login.path }, values),
      });
    }
    case 'module': {
      if (setup.module === null)
        throw new Error(`the path of the player module ${playing.module} is missing from the setup`);
      const [{ ModuleProtocol }, { codeOfModule }, { loadModule }, { nullPlayer }] = await Promise.all([
        import('../../load/module/module-protocol.ts'),
        import('../../load/module/player-code.ts'),
        import('../../load/module/module-file.ts'),
        import('./null/player.ts'),
      ]);
      const sockets = new PlayerSockets();
      // Before loading the module, which may connect while it is loaded.
      const dials = watchDials(setup.worlds, sockets);
      const loaded = await loadModule(setup.module);
      const isUncalibrated = setup.workload.isCalibration === true && loaded.nullServer === null;
      const module = isUncalibrated ? nullPlayer(loaded.name) : loaded;
      const urls = setup.worlds.map(({ url }) => url);
      return new ModuleProtocol({
        ...{
          ...tools,
          ids,
          code: codeOfModule(module),
          seed,
          players,
          group,
          operations,
          world: null,
          urls,
          route,
          prepared: preparedOf(setup),
        },
        ...{ sockets, dials, client: { ...playing, largestFrame: largestFrameOf(playing) } },
        env: Object.freeze({ ...setup.inputs.environment }),
      });
    }
  }
};

export const prepare: WorkerModule['prepare'] = prepareRun;
