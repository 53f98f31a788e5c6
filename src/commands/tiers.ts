import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { badInput, stackFailed } from '../errors.ts';
import type { Host } from '../host.ts';
import { readBounded } from '../measurement/bundle.ts';
import { boxOf, emulatedTier } from '../model/emulation.ts';
import { readTiers, type Tier } from '../model/tier.ts';
import type { Box } from '../scenario/box.ts';
import { cpusText } from '../scenario/component-limits.ts';
import { LARGEST_SCENARIO } from '../scenario/document.ts';
import { nearest } from '../scenario/nearest.ts';
import { findProgram } from '../supervision/program.ts';
import { type ChosenTier, nothingToConfine } from './chosen-tier.ts';
import type { TierFlags } from './options.ts';
import { nearby } from './shown-path.ts';

/** The files of fixtures/tiers, absolute. */
async function shippedTiers({ root }: Pick<Host, 'root'>): Promise<readonly string[]> {
  const folder = join(root, 'fixtures', 'tiers');
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => join(folder, name));
}

/** `2026-11-30`, in UTC. */
export const today = (): string => new Date().toISOString().slice(0, 10);

/**
 * @param day no price can have been read later; null: not checked, where prices do not matter
 * @throws CapbenchError (104) with every error of a file, or where two files have the same tier
 */
export async function readAllTiers(
  host: Pick<Host, 'cwd'>,
  files: readonly string[],
  day: string | null,
): Promise<readonly Tier[]> {
  const all: Tier[] = [];
  for (const file of files) {
    const shown = nearby(host, file);
    const bytes = await readBounded(file, LARGEST_SCENARIO, 'name a tiers file', shown);
    const tiers = readTiers(shown, bytes, day);
    const twice = tiers.find(({ id }) => all.some((other) => other.id === id));
    if (twice !== undefined)
      throw badInput(`${shown}: the tier ${twice.id} is in another file, too`, 'give it another id');
    all.push(...tiers);
  }
  return all;
}

/** The files of `--tiers`, or those that come with capbench; absolute. */
export const tierFilesOf = async (
  host: Pick<Host, 'cwd' | 'root'>,
  files: readonly string[],
): Promise<readonly string[]> =>
  files.length > 0 ? files.map((file) => resolve(host.cwd, file)) : shippedTiers(host);

/** The tiers of these. */
export const givenTiers = async (
  host: Pick<Host, 'cwd' | 'root'>,
  files: readonly string[],
  day: string | null,
): Promise<readonly Tier[]> => readAllTiers(host, await tierFilesOf(host, files), day);

/**
 * The machine that `--tier` names; null without it.
 * @throws CapbenchError (104): no such tier, or one that this host is too small for; (93): this host cannot hold its cores
 */
export async function chooseTier(
  host: Pick<Host, 'cwd' | 'root' | 'env' | 'machine'>,
  { tier: name, tiers: files, target }: TierFlags & { readonly target: readonly string[] },
): Promise<ChosenTier | null> {
  if (name === undefined) {
    if (files.length > 0) throw badInput('--tiers is given without --tier', 'name one of them: --tier NAME');
    return null;
  }
  if (target.length > 0) throw nothingToConfine(name);
  const all = await givenTiers(host, files, null);
  const tier = all.find(({ id }) => id === name);
  if (tier === undefined) {
    const meant = nearest(
      name,
      all.map(({ id }) => id),
    );
    throw badInput(
      `--tier: there is no tier ${JSON.stringify(name)}`,
      meant === undefined
        ? '`capbench list --tiers` lists them; --tiers FILE reads a file of your own'
        : `did you mean ${meant}? \`capbench list --tiers\` lists them`,
    );
  }
  const box = boxOf(tier);
  if ('because' in box) throw badInput(`--tier ${name}: ${box.because}`, 'choose another, or --tiers FILE');
  const { cpus } = host.machine;
  if (box.cpus > cpus)
    throw badInput(
      `--tier ${name}: it has ${cpusText(box.cpus)}, and this host has ${cpus}`,
      'use a host with as many, or a smaller tier; `capbench size` says what is known of larger ones',
    );
  const unheld = await unheldBecause(host, box);
  // A number that was measured with more cores than the machine has would be wrong.
  if (unheld !== null)
    throw stackFailed(
      `--tier ${name}: ${cpusText(box.cpus)} cannot be held here: ${unheld.why}`,
      unheld.advice,
    );
  return { tier: emulatedTier(tier), box };
}

/** Why a stack cannot be held to the cores of a box on this host, and what to do; null where it can. */
export async function unheldBecause(
  { env, machine }: Pick<Host, 'env' | 'machine'>,
  { cpus }: Box,
): Promise<{ readonly why: string; readonly advice: string } | null> {
  if (machine.platform !== 'linux')
    return { why: `${machine.platform} has no way to confine a process`, advice: 'use a Linux host' };
  if ((env.CAPBENCH_CGROUP ?? '') !== '') return null;
  if (!Number.isInteger(cpus)) {
    return {
      why: 'a share of a CPU needs a control group',
      advice:
        'name one in CAPBENCH_CGROUP (scenarios/README.md#limits), or choose a tier with whole CPUs in the long run',
    };
  }
  return (await findProgram('taskset', env)) === null
    ? {
        why: 'there is no taskset on PATH',
        advice: 'install util-linux, or name a control group in CAPBENCH_CGROUP',
      }
    : null;
}
