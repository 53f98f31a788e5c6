import { createRequire } from 'node:module';

/** A package and the version that is asked for: `@scope/name@1.2.3`. */
export type WantedPackage = string;

export const packageName = (wanted: WantedPackage): string => wanted.slice(0, wanted.lastIndexOf('@'));

/** What installs packages. */
export const npmInstall = (wanted: readonly WantedPackage[]): string => `npm install ${wanted.join(' ')}`;

const { resolve } = createRequire(import.meta.url);

/** Where a package is installed, as this program finds its own; null where it is not. */
export function folderOf(wanted: WantedPackage): string | null {
  const name = packageName(wanted);
  try {
    const file = resolve(name);
    return file.slice(0, file.lastIndexOf(name) + name.length);
  } catch {
    return null;
  }
}

export const missingPackages = (wanted: readonly WantedPackage[]): readonly WantedPackage[] =>
  wanted.filter((one) => folderOf(one) === null);
