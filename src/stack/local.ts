import { tmpdir } from 'node:os';
import { interrupted, messageOf, stackFailed } from '../errors.ts';
import { WHOLE_STACK } from '../scenario/component-limits.ts';
import type { ComponentLimits } from '../scenario/limits.ts';
import type { Deviation } from '../scenario/scenario.ts';
import { keepPriorityLow, niceStepsBelow } from '../supervision/priority.ts';
import { openRunFolder } from '../supervision/run-folder.ts';
import { pause } from '../supervision/time-limit.ts';
import { unprivilegedUser } from '../supervision/unprivileged-user.ts';
import type { StackFailure, Watchdog } from '../supervision/watchdog.ts';
import { type AppliedLimits, applyLimits } from './applied-limits.ts';
import type { Component } from './component.ts';
import type { ComponentSpec, StartContext, StartedComponent } from './component-spec.ts';
import { deviationsBeside, prioritySetting } from './settings.ts';
import type { AppliedSetting, Disturbance, LimitedComponent, Stack } from './stack.ts';

export interface LocalStackOptions
  extends Pick<StartContext, 'env' | 'token' | 'password' | 'mayRestart'>,
    Partial<Pick<StartContext, 'scenarioFolder'>> {
  /** The run's watchdog, which outlives the stack; its opener closes it. */
  readonly watchdog: Watchdog;
  /** Aborts a start in progress. */
  readonly signal: AbortSignal;
  readonly basePort?: number | null;
  /** Settings of the whole stack, beside those of its components. */
  readonly settings?: readonly AppliedSetting[];
  /** Deviations from the documented stack, which are reported among the settings. */
  readonly deviations?: readonly Deviation[];
  /** The most that all components together may use. */
  readonly stackLimits?: ComponentLimits | null;
}

/** /tmp serves where TMPDIR is too long a path, or closed to the other account. */
export const temporaryFolders = () => [tmpdir(), '/tmp'];

/** The errors of dependants may come this much before or after the end of a component is seen. */
const SAME_MOMENT_MS = 300;

/**
 * Starts a system's components in one folder, each once those in its `after` are ready, and resolves when all are
 * ready. Rejects with exit code 93 when one does not start, and 105 when aborted; everything that was started has ended
 * by then.
 */
export async function openLocalStack(
  specs: readonly ComponentSpec[],
  options: LocalStackOptions,
): Promise<Stack> {
  const { watchdog, signal, basePort = null, scenarioFolder = '/', ...rest } = options;
  const { settings: _, deviations: __, stackLimits = null, ...given } = rest;
  try {
    signal.throwIfAborted();
    const user = specs.some(({ unprivileged }) => unprivileged === true) ? unprivilegedUser() : null;
    const folder = await openRunFolder(watchdog, temporaryFolders(), user);
    const limits = await applyLimits(specs, options.env, watchdog, stackLimits).catch(async (error) => {
      await folder.remove();
      throw error;
    });
    const open = new OpenComponents(specs, limits);
    const closing = new AbortController();
    const remove = async (): Promise<void> => {
      await Promise.all([folder.remove(), limits.remove()]);
    };
    try {
      const all = await open.start(signal, {
        ...{ folder, watchdog, user, basePort, scenarioFolder, closing: closing.signal },
        stackMemoryBytes: stackLimits?.memory === undefined ? null : stackLimits.memory * 2 ** 20,
        ...given,
      });
      signal.throwIfAborted();
      return stackOf(all, open, limits, options, closing, remove);
    } catch (error) {
      closing.abort();
      await open.close().finally(remove);
      throw error;
    }
  } catch (error) {
    if (signal.aborted) throw interrupted('stopped while the stack was starting');
    throw error;
  }
}

function stackOf(
  all: readonly StartedComponent[],
  open: OpenComponents,
  limits: AppliedLimits,
  { watchdog, settings: ofStack = [], deviations = [] }: LocalStackOptions,
  closing: AbortController,
  remove: () => Promise<void>,
): Stack {
  const components = all.map(({ component }) => component);
  const pids = () => components.flatMap(({ pid }) => pid ?? []);
  const stopLowering = keepPriorityLow(pids);
  const settings = [...all.flatMap((one) => one.settings ?? []), ...limits.settings, ...ofStack];
  const limited = limitedOf(components, limits);
  const addresses = Object.assign({}, ...all.map((one) => one.addresses));
  const close = async (): Promise<void> => {
    stopLowering();
    closing.abort();
    await open.close().finally(remove);
  };
  let closed: Promise<void> | undefined;
  return {
    kind: 'local',
    endpoints: {
      worlds: all.flatMap(({ server }) => server ?? []),
      database: all.find(({ database }) => database !== undefined)?.database ?? null,
      addresses,
      ...(components.some(({ pid }) => pid === null) ? { partlyGiven: true } : {}),
      ...(limited.length === 0 ? {} : { limited }),
      ...(limits.otherCpus === null ? {} : { otherCpus: limits.otherCpus }),
    },
    settings: [
      ...settings,
      ...deviationsBeside(deviations, settings),
      prioritySetting(niceStepsBelow(pids())),
    ],
    disturb: disturbanceOf(components),
    failure: open.firstFailure(watchdog.lost),
    logs: new Map(
      all.flatMap(({ component: { name, log }, logs }) => [
        ...(logs ?? []),
        ...(log === null ? [] : [[name, log] as const]),
      ]),
    ),
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** The components with limits that are started here, and the whole stack where it has some. */
const limitedOf = (components: readonly Component[], { plans, groupsOf }: AppliedLimits) =>
  plans.flatMap(({ name, limits }): LimitedComponent[] => {
    const started = components.filter(
      (component) => component.pid !== null && (name === WHOLE_STACK || name === component.name),
    );
    if (started.length === 0) return [];
    return [
      {
        ...{ name, limits, groups: groupsOf(name) },
        get pids() {
          return started.flatMap(({ pid }) => pid ?? []);
        },
      },
    ];
  });

/** Starts, watches and ends the components of a stack in the order of their dependencies. */
class OpenComponents {
  private readonly specs: ReadonlyMap<string, ComponentSpec>;
  private readonly started = new Map<string, StartedComponent>();

  private readonly limits: AppliedLimits;

  constructor(specs: readonly ComponentSpec[], limits: AppliedLimits) {
    this.limits = limits;
    this.specs = new Map(specs.map((spec) => [spec.name, spec]));
  }

  /** Resolves in the order of the specs. When one fails the others are aborted, and the first reason is reported. */
  async start(
    signal: AbortSignal,
    context: Omit<StartContext, 'signal' | 'started' | 'confine'>,
  ): Promise<readonly StartedComponent[]> {
    const broken = new AbortController();
    const aborted = AbortSignal.any([signal, broken.signal]);
    const failed: { readonly thrown: unknown; readonly name: string }[] = [];
    const turns = new Map<string, Promise<StartedComponent>>();
    const begin = async ({ name, after, start }: ComponentSpec): Promise<StartedComponent> => {
      try {
        await Promise.all(after.map((one) => turnOf(one)));
        aborted.throwIfAborted();
        const one = await start({
          ...{ ...context, signal: aborted, started: (other) => this.named(other) },
          confine: this.limits.confine(name),
        });
        this.started.set(name, one);
        void one.component.failure.then(() => broken.abort());
        return one;
      } catch (thrown) {
        failed.push({ thrown, name });
        broken.abort();
        throw thrown;
      }
    };
    const turnOf = (name: string): Promise<StartedComponent> => {
      const spec = this.specs.get(name);
      if (spec === undefined) throw new Error(`the stack has no component "${name}"`);
      const turn = turns.get(name) ?? begin(spec);
      turns.set(name, turn);
      return turn;
    };
    const outcomes = await Promise.allSettled([...this.specs.keys()].map(turnOf));
    const [first] = failed;
    if (first !== undefined) {
      // A component that fails because one below it has just ended is not the cause.
      const { thrown, name } = first;
      const cause = signal.aborted ? null : await this.causeOf(name);
      throw cause === null
        ? this.atItsLimit(name, thrown)
        : stackFailed(`${cause.component}: ${cause.message}`, cause.hint);
    }
    return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
  }

  /** Settles with the first failure of a component, or rather of one that it depends on. */
  async firstFailure(lost: Promise<StackFailure>): Promise<StackFailure> {
    const failures = [...this.started.values()].map(({ component }) => component.failure);
    const first = await Promise.race([lost, ...failures]);
    return (await this.causeOf(first.component)) ?? this.limits.blame(first);
  }

  /** Ends dependants first, and rejects with the first error once all have ended. A component that depends on a disturbed one is killed, since it may not end by itself. */
  async close(): Promise<void> {
    const disturbed = new Set([...this.started.values()].filter(({ component }) => component.disturbed));
    const ends = new Map<string, Promise<void>>();
    const end = async (name: string): Promise<void> => {
      const before = [...this.specs.values()].filter(({ after }) => after.includes(name));
      await Promise.all(before.map((spec) => endOf(spec.name)));
      const abruptly = [name, ...this.dependenciesOf(name)].some((one) =>
        disturbed.has(this.started.get(one)!),
      );
      await this.started.get(name)?.component.close(abruptly);
    };
    const endOf = (name: string): Promise<void> => {
      const ending = ends.get(name) ?? end(name);
      ends.set(name, ending);
      return ending;
    };
    const endings = await Promise.allSettled([...this.specs.keys()].map(endOf));
    for (const ending of endings) if (ending.status === 'rejected') throw ending.reason;
  }

  /** The failure of one of its dependencies, waited for a moment; null where there is none. */
  private async causeOf(name: string): Promise<StackFailure | null> {
    const failures = this.dependenciesOf(name).flatMap(
      (one) => this.started.get(one)?.component.failure ?? [],
    );
    if (failures.length === 0) return null;
    const cause = (await Promise.race([...failures, pause(SAME_MOMENT_MS)])) ?? null;
    return cause === null ? null : this.limits.blame(cause);
  }

  /** The error of a start; where the kernel killed the component for its memory, that. */
  private atItsLimit(name: string, thrown: unknown): unknown {
    const failure: StackFailure = { component: name, message: messageOf(thrown), hint: '' };
    const blamed = this.limits.blame(failure);
    return blamed === failure ? thrown : stackFailed(blamed.message, blamed.hint, thrown);
  }

  /** All its direct and indirect dependencies. */
  private dependenciesOf(name: string): readonly string[] {
    const after = this.specs.get(name)?.after ?? [];
    return [...new Set(after.flatMap((one) => [...this.dependenciesOf(one), one]))];
  }

  private named(name: string): StartedComponent {
    const one = this.started.get(name);
    if (one === undefined) throw new Error(`"${name}" is not started yet`);
    return one;
  }
}

function disturbanceOf(components: readonly Component[]): Disturbance {
  const named = (name: string): Component => {
    const component = components.find((each) => each.name === name);
    if (component !== undefined) return component;
    const known = components.map((each) => each.name).join(', ');
    throw stackFailed(`the stack has no component "${name}"`, `it has ${known}`);
  };
  return {
    kill: async (component, lasting) => named(component).kill(lasting),
    stop: async (component, lasting) => named(component).stop(lasting),
    restart: async (component, lasting) => named(component).restart(lasting),
  };
}
