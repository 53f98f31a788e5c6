import type { Scenario } from '../../scenario/scenario.ts';
import type { ComponentSpec, StartContext } from '../../stack/component-spec.ts';
import { edgeComponents } from '../../stack/edge-component.ts';
import { askWorld } from '../../stack/health.ts';
import { serverComponent } from '../../stack/server.ts';
import { shownSetting } from '../../stack/settings.ts';
import type { AppliedSetting } from '../../stack/stack.ts';
import { bundleFile } from '../../supervision/bundle-file.ts';
import { formatDuration, toMillis } from '../../units.ts';
import { realmWorld } from './scenario.ts';

/** V8's heap of the relay, in MB: it keeps one event of each agent. */
const RELAY_HEAP = 256;

/** The relay, the worlds, and the proxy in front of them if the scenario has one. */
export function realmComponents(scenario: Scenario): readonly ComponentSpec[] {
  const { world, edge } = scenario;
  const servers = Array.from({ length: world.servers }, (_, i) => {
    const instance = i + 1;
    return serverComponent({
      ...{ name: `world-${instance}`, instance, after: ['relay'], heap: world.heap },
      module: bundleFile('realm-server'),
      env: (context) => environmentOf(scenario, instance, context),
      health: (server, signal) => askWorld(server, 'realm', signal),
    });
  });
  return [relayComponent, ...servers, ...edgeComponents(edge, servers)];
}

/** The component `relay`: its address is `addresses.relay`, and its folder outlives its process. */
const relayComponent: ComponentSpec = {
  name: 'relay',
  faults: ['kill', 'stop', 'restart'],
  after: [],
  async start(context) {
    const folder = await context.folder.folder('relay');
    const relay = serverComponent({
      ...{ name: 'relay', instance: 1, after: [], heap: RELAY_HEAP },
      module: bundleFile('realm-relay'),
      env: ({ token }) => ({ FOLDER: folder, TOKEN: token }),
      health: (server, signal) => askWorld(server, 'realm-relay', signal),
    });
    // The ports from the base port on are those of the worlds. It is none of the servers of the load.
    const { server, ...started } = await relay.start({ ...context, basePort: null });
    return { ...started, addresses: { relay: server?.url ?? '' } };
  },
};

function environmentOf(scenario: Scenario, instance: number, { token, started }: StartContext) {
  const world = realmWorld(scenario);
  return {
    INSTANCE_ID: String(instance),
    WORLDS: String(world.servers),
    AGENTS: String(scenario.load.players),
    UPDATE_MS: String(toMillis(world.updateInterval)),
    THINK_MS: String(toMillis(world.thinkInterval)),
    THINK_WORK_MICROS: String(world.thinkWork),
    SYNC_MS: String(toMillis(world.syncInterval)),
    COMMANDS_PER_SECOND: String(world.commandsPerAgentPerSecond),
    SYNC: world.sync,
    RECOVER: world.recover,
    BROADCAST: world.broadcast,
    INTEREST: world.interest,
    TOKEN: token,
    RELAY_URL: started('relay').addresses?.relay ?? '',
  };
}

/** The worlds' settings, for the report. */
export function realmSettings(scenario: Scenario): readonly AppliedSetting[] {
  const world = realmWorld(scenario);
  return [
    shownSetting('worldUpdateInterval', formatDuration(world.updateInterval)),
    shownSetting('worldThinkInterval', formatDuration(world.thinkInterval)),
    shownSetting('worldThinkWork', formatDuration(world.thinkWork)),
    shownSetting('worldSyncInterval', formatDuration(world.syncInterval)),
    shownSetting('worldCommandsPerAgentPerSecond', world.commandsPerAgentPerSecond),
    ...(['sync', 'recover', 'broadcast', 'interest'] as const).map((key) =>
      shownSetting(`world${key[0]?.toUpperCase()}${key.slice(1)}`, world[key]),
    ),
  ];
}
