import type { ComponentLimits } from './limits.ts';
import type { Scenario } from './scenario.ts';

/** The sections of a scenario that may have `limits`. */
const LIMITED_SECTIONS = ['world', 'postgres', 'redis', 'edge'] as const;

/** What all components together are called, beside the names of components. */
export const WHOLE_STACK = 'stack';

/** The parts of a scenario that may have limits. */
export type Limited = {
  readonly [K in (typeof LIMITED_SECTIONS)[number] | 'limits']?: Scenario[K] | undefined;
};

/** The server of a start command is a server of the world, too. */
const SERVER = /^(?:world-\d+|server)$/;

/** What limits are named by: the section of a component; where it has none, its name; or the whole stack. */
export const limitKeyOf = (component: string): string => (SERVER.test(component) ? 'world' : component);

/** The name of the setting that says how the limits of a component are held: `worldLimits`, `stackLimits`. */
export const limitSetting = (component: string): string => `${limitKeyOf(component)}Limits`;

/** The path of limits in a scenario: `world.limits`, `limits.stack`. */
export const limitPath = (key: string): readonly [string, string] =>
  LIMITED_SECTIONS.some((section) => section === key) ? [key, 'limits'] : ['limits', key];

/** The limits of a key; null without any. */
export function limitsUnder(scenario: Limited, key: string): ComponentLimits | null {
  const section = LIMITED_SECTIONS.find((one) => one === key);
  if (section !== undefined) return scenario[section]?.limits ?? null;
  const { limits = {} } = scenario;
  return Object.hasOwn(limits, key) ? (limits[key] ?? null) : null;
}

/** The limits of a component, which each server of the world has for itself, or of the whole stack; null without any. */
export const limitsOf = (scenario: Limited, component: string): ComponentLimits | null =>
  limitsUnder(scenario, limitKeyOf(component));

/** The keys under which a scenario has limits. */
export const limitKeys = (scenario: Limited): readonly string[] =>
  [...LIMITED_SECTIONS, ...Object.keys(scenario.limits ?? {})].filter(
    (key) => limitsUnder(scenario, key) !== null,
  );

/** The paths of limits that limit nothing in a run that starts only these components: of a target, of a Redis that is given. */
export function idleLimits(scenario: Limited, started: readonly string[]): readonly string[] {
  const keys = new Set([...started.map(limitKeyOf), ...(started.length === 0 ? [] : [WHOLE_STACK])]);
  return limitKeys(scenario)
    .filter((key) => !keys.has(key))
    .map((key) => limitPath(key).join('.'));
}

/** `1 CPU`, `0.5 CPUs` */
export const cpusText = (cpus: number): string => `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`;

/** `1 CPU, 512MB` */
export const limitsText = ({ cpus, memory }: ComponentLimits): string =>
  [...(cpus === undefined ? [] : [cpusText(cpus)]), ...(memory === undefined ? [] : [`${memory}MB`])].join(
    ', ',
  );
