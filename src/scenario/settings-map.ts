import { z } from 'zod';

/** A setting of a configuration file, as YAML has it. */
export type SettingValue = string | number | boolean;

/** What a program's settings may be, and how they are written. */
interface SettingsOf {
  /** Whose settings they are: `PostgreSQL`. */
  readonly program: string;
  /** Its file: `postgresql.conf`. */
  readonly file: string;
  /** Characters of the longest value. */
  readonly longest: number;
  /** What was expected instead of a setting; null when it is allowed. */
  problemOf(name: string, value: SettingValue): string | null;
  textOf(value: SettingValue): string;
}

/** A map of settings to their texts; each setting that is not allowed is a problem of its own. */
export function settingsMap({ program, file, longest, problemOf, textOf }: SettingsOf) {
  const settingValue = z.union([z.string().max(longest), z.number(), z.boolean()]);
  return z
    .record(z.string(), z.unknown(), { error: `a map of ${program} settings` })
    .meta({ additionalProperties: { type: ['string', 'number', 'boolean'] } })
    .transform((given, context): Record<string, string> => {
      const kept: Record<string, string> = {};
      for (const [name, value] of Object.entries(given)) {
        const read = settingValue.safeParse(value);
        const message = read.success ? problemOf(name, read.data) : `a setting's value as in ${file}`;
        if (message !== null || !read.success) {
          context.addIssue({ code: 'custom', message: message ?? 'a value', path: [name], input: value });
        } else {
          kept[name] = textOf(read.data);
        }
      }
      return kept;
    });
}
