import type { ComponentLimits } from './limits.ts';
import type { Scenario } from './scenario.ts';

/** The sections of a scenario that may have `limits`. */
const SECTIONS = ['world', 'postgres', 'redis', 'edge'] as const;
export type LimitedSection = (typeof SECTIONS)[number];

type Sections = Pick<Scenario, LimitedSection>;

/** The server of a start command is a server of the world, too. */
const SERVER = /^(?:world-\d+|server)$/;

/** The section whose limits a component has; null for one that has no section. */
export const sectionOf = (component: string): LimitedSection | null =>
  SERVER.test(component) ? 'world' : (SECTIONS.find((section) => section === component) ?? null);

/** The limits of a component, which each server of the world has for itself; null without any. */
export function limitsOf(scenario: Sections, component: string): ComponentLimits | null {
  const section = sectionOf(component);
  return (section === null ? null : scenario[section]?.limits) ?? null;
}

/** `1 CPU`, `0.5 CPUs` */
export const cpusText = (cpus: number): string => `${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`;

/** `1 CPU, 512MB` */
export const limitsText = ({ cpus, memory }: ComponentLimits): string =>
  [...(cpus === undefined ? [] : [cpusText(cpus)]), ...(memory === undefined ? [] : [`${memory}MB`])].join(
    ', ',
  );
